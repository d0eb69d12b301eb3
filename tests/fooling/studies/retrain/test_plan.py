"""What can be asked for, and what is said of what cannot."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from fooling.classifiers.samples import Samples
from fooling.errors import FoolingError, InvalidError, NotFoundError
from fooling.studies.retrain import Plan, retrain
from fooling.studies.retrain.data import Data
from tests.fooling.studies.retrain.small import DATA, PLAN, squares


def test_amounts():
    """Images scale with the size of the experiment; classes do by themselves."""
    plan = Plan(first=6000, more="0.5x", size=0.2, rounds=3)
    assert [plan.wanted(number, 1200.0) for number in range(4)] == [1200, 600, 600, 0]
    assert Plan(first="7x").wanted(0, 400.0) == 2800


@pytest.mark.parametrize("first", ["7", "x", "-1x", "0x", "many", 0, -5, True])
def test_what_is_no_amount(first):
    with pytest.raises(ValidationError, match="first"):
        Plan(first=first)


def test_seeds_differ_between_rounds_runs_and_plans():
    """Two runs with one seed would be one run, counted twice."""
    plans = [Plan(seed=seed) for seed in range(3)]
    seeds = [plan.run_seed(number, run) for plan in plans for number in range(4) for run in range(40)]
    seeds += [plan.training_seed(number) for plan in plans for number in range(4)]
    assert len(set(seeds)) == len(seeds)


def test_a_share_is_the_first_images_of_each_class():
    part = DATA.share(0.1)
    assert np.bincount(part.training.labels).tolist() == [8, 8, 8]
    assert np.array_equal(part.training.images, DATA.training.images[:24])
    assert part.test is DATA.test
    assert DATA.share(1e-9).training.labels.tolist() == [0, 1, 2]


def test_the_class_fooling_is_the_last(tmp_path):
    images = np.full((2, 28, 28, 1), 7, np.uint8)
    both = DATA.with_fooling([images, images + 1])
    assert both.labels[-5:].tolist() == [2, 3, 3, 3, 3]
    assert both.images[-4:, 0, 0, 0].tolist() == [7, 7, 8, 8]
    assert np.array_equal(both.images[:-4], DATA.training.images)


@pytest.mark.parametrize(
    "data, change, kind, message",
    [
        ("nowhere", {}, NotFoundError, "nowhere: expected class folders, .*, or the IDX files of MNIST"),
        (DATA, {"architecture": "lenett"}, InvalidError, "did you mean lenet"),
        (DATA, {"config": "mnist-cpn"}, NotFoundError, "did you mean mnist-cppn"),
        (DATA, {"assignments": ("search.generatons=3",)}, InvalidError, "did you mean search.generations"),
        (DATA, {"config": "mnist-ascent", "assignments": ()}, InvalidError, "expected map-elites for retraining, found gradient-ascent"),
        (DATA, {"assignments": ("encoding.size=32",)}, InvalidError, "encoding.size: expected 28.*found 32"),
        (
            Data(*(Samples(np.zeros((3, 32, 32, 3), np.uint8), np.arange(3)),) * 2, tuple("abc")),
            {},
            InvalidError,
            "expected images of 28 x 28 pixels, grey, for lenet, found 32 x 32",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_one_line_and_leaves_nothing(data, change, kind, message, tmp_path):
    with pytest.raises(kind, match=message) as error:
        retrain(data, tmp_path / "out", Plan(**{**PLAN, **change}))
    assert "\n" not in str(error.value)
    assert not (tmp_path / "out").exists()


def test_data_that_cannot_be():
    part = squares(6, 0)
    with pytest.raises(InvalidError, match="expected no class named 'fooling'"):
        Data(part, part, ("a", "b", "fooling"))
    with pytest.raises(InvalidError, match="expected training and test images, found 6 and 0"):
        Data(part, Samples(part.images[:0], part.labels[:0]), ("a", "b", "c"))
    with pytest.raises(InvalidError, match="expected test images of shape"):
        Data(part, Samples(part.images[:, :20, :20], part.labels), ("a", "b", "c"))


def test_runs_that_give_nothing_new_end_the_experiment(tmp_path, monkeypatch):
    """Without it, an experiment whose runs all give the same images would never end."""
    monkeypatch.setattr(Plan, "run_seed", lambda self, number, run: 7)
    with pytest.raises(FoolingError, match=r"expected new fooling images, found all .* in earlier runs"):
        retrain(DATA, tmp_path / "out", Plan(**PLAN))
