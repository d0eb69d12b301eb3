"""Services that answer with one number, or with logits: what a detector behind an API does."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from fooling import classifiers
from fooling.errors import FoolingError

IMAGE = np.zeros((1, 8, 8, 1), np.uint8)
SIGMOID = 1 / (1 + math.exp(-2.5))


@pytest.mark.parametrize(
    "output, labels, answer, expected",
    [
        ("scores", ["fake"], {"fake": 0.75}, [0.75]),
        ("scores", ["real", "fake"], {"fake": 0.75}, [0.25, 0.75]),
        ("sigmoid", ["real", "fake"], {"fake": 2.5}, [1 - SIGMOID, SIGMOID]),
        ("sigmoid", ["a", "b", "c"], {"fake": {"a": 2.5, "c": 0, "b": -2.5}}, [SIGMOID, 1 - SIGMOID, 0.5]),
    ],
)
def test_what_the_numbers_mean_is_the_specs(server, tmp_path, output, labels, answer, expected):
    """A logit that is read as a score would be refused, or, between 0 and 1, be taken for a confidence."""
    server.always = ("json", answer)
    (tmp_path / "one.toml").write_text(
        f'name = "one"\nsize = 8\ncolour = "grey"\noutput = "{output}"\nlabels = {json.dumps(labels)}\n'
        f'[request]\nurl = "{server.url}"\n[response]\nscores = "fake"\n[budget]\nqueries = 5\n'
    )
    classifier = classifiers.load(f"http:{tmp_path / 'one.toml'}")
    assert classifier.classify(IMAGE)[0].tolist() == pytest.approx(expected, abs=1e-6)


def test_a_logit_that_is_left_out_is_refused(server, tmp_path):
    """It is not that of a half: the class would be as confident as a coin."""
    server.always = ("json", {"fake": {"a": 2.5}})
    (tmp_path / "two.toml").write_text(
        'name = "two"\nsize = 8\ncolour = "grey"\noutput = "sigmoid"\nlabels = ["a", "b"]\n'
        f'[request]\nurl = "{server.url}"\n[response]\nscores = "fake"\n[budget]\nqueries = 5\n'
    )
    with pytest.raises(FoolingError, match="expected a logit of every label, found none of 'b'"):
        classifiers.load(f"http:{tmp_path / 'two.toml'}").classify(IMAGE)
