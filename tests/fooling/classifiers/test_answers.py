"""What is kept of a classifier's answers tells it from others, however many classes it has."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from fooling.classifiers import Numerics
from fooling.classifiers.answers import difference, document, expect, read
from fooling.errors import InvalidError


def softmax(logits: np.ndarray) -> np.ndarray:
    return torch.from_numpy(logits).softmax(1).numpy()


@pytest.mark.parametrize("classes", [1, 2, 10, 1000, 21843])
def test_other_answers_are_told_and_last_bits_are_not(classes):
    """A failure costs the claims of a run that is resumed with other weights; or a run that another machine can't
    go on with."""
    logits = np.random.default_rng(classes).normal(size=(8, classes)).astype(np.float32)
    answers = softmax(logits) if classes > 1 else torch.from_numpy(logits).sigmoid().numpy()
    text = json.dumps(document(answers))
    assert len(text) < 8 * 32 * 40
    kept = read(json.loads(text), "manifest.json")
    assert difference(kept, answers) == ""
    assert difference(kept, answers * np.float32(1 + 2e-5)) == ""
    other = softmax(logits + 0.01 * np.random.default_rng(1).normal(size=logits.shape).astype(np.float32))
    if classes == 1:
        other = answers * np.float32(0.99)
    found = difference(kept, other)
    assert found.startswith("class ")
    assert "\n" not in found


def test_numbers_are_kept_to_the_bit(wrap):
    answers = wrap().answers
    for row, kept in zip(answers, read(json.loads(json.dumps(document(answers))), "x"), strict=True):
        assert [row[number] for number in kept.classes] == list(kept.confidences)


def test_nan_is_no_answer(wrap):
    answers = wrap().answers
    assert difference(read(document(answers), "x"), np.full_like(answers, np.nan)) != ""


@pytest.mark.parametrize(
    "data",
    [None, "x", [1], [{"classes": [0], "confidences": [2.0]}], [{"classes": [-1], "confidences": [0.5]}]],
)
def test_a_manifest_that_says_something_else_is_refused_in_one_line(data):
    with pytest.raises(InvalidError, match=r"^m\.json: ") as failure:
        read(data, "m.json")
    assert "\n" not in str(failure.value)


def test_classes_that_the_classifier_lacks(wrap):
    """A run directory may come from a stranger."""
    kept = read([{"classes": [0, 7], "confidences": [0.5, 0.5]}], "x")
    with pytest.raises(InvalidError, match="expected confidences of the classes of 5"):
        expect(kept, wrap().answers, "tiny")
    kept = read([{"classes": [0, 1], "confidences": [0.5]}], "x")
    with pytest.raises(InvalidError, match="expected confidences of the classes of 5"):
        expect(kept, wrap().answers, "tiny")


@pytest.mark.parametrize(
    "numerics", [Numerics(batch=1), Numerics(batch=50, layout="nchw"), Numerics(threads=2)]
)
def test_numerics_make_no_difference(wrap, numerics):
    """Drivers, workers and later parts of a run have others."""
    for one in (wrap(), wrap().with_input(20)):
        kept = read(document(one.answers), "x")
        assert difference(kept, one.with_numerics(numerics).answers) == ""
