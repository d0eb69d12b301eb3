"""What copies are worth: measured on an image whose worth is known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import ndimage

from fooling.reproduce.experiments import repetition
from fooling.reproduce.experiments.repetition import Loss
from fooling.reproduce.workspace import Workspace
from fooling.runs.evaluator import Evaluation


def dots() -> np.ndarray:
    """(28, 28, 1) uint8: nine blobs."""
    image = np.zeros((28, 28))
    image[4::9, 4::9] = 1.0
    blurred = ndimage.gaussian_filter(image, 1.2)
    return (255 * blurred / blurred.max()).astype(np.uint8)[..., None]


def counts_dots(pixels: np.ndarray) -> Evaluation:
    """A classifier of two classes: a tenth for each dot, of class 1."""
    found = np.array([ndimage.label(image[..., 0] > 180)[1] / 10 for image in pixels])
    return Evaluation(np.stack([1 - found, found], axis=1).astype(np.float32))


def test_a_network_that_counts_loses_a_tenth_with_each_copy() -> None:
    found = repetition.loss_of(dots(), 1, 5, counts_dots, np.random.default_rng(0))
    assert found is not None
    assert (found.number, found.seed, found.copies) == (1, 5, 9)
    assert found.whole == pytest.approx(0.9)
    assert found.without == pytest.approx([0.8] * 9)
    assert found.with_one == pytest.approx(0.1)
    assert found.elsewhere > found.without_one, "elsewhere as much hits less, or half of a dot"


def test_nothing_is_asked_where_nothing_repeats() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (28, 28, 1), np.uint8)
    assert repetition.loss_of(noise, 0, 0, lambda _: pytest.fail("asked"), np.random.default_rng(0)) is None


@given(arrays.arrays(bool, (9, 9)), st.integers(0, 2**32))
def test_the_control_takes_as_much(mask: np.ndarray, seed: int) -> None:
    """Else copies would be compared with a smaller or larger loss."""
    moved = repetition.moved(mask, np.random.default_rng(seed))
    assert moved.shape == mask.shape
    assert moved.sum() == mask.sum()


def test_paint_is_the_median_colour_and_stays_inside() -> None:
    image = np.random.default_rng(0).integers(0, 256, (6, 6, 3), np.uint8)
    mask = np.zeros((6, 6), bool)
    mask[1:3, 2:5] = True
    found = repetition.painted(image, mask)
    assert (found[~mask] == image[~mask]).all()
    assert (found[mask] == np.median(image, axis=(0, 1)).astype(np.uint8)).all()
    assert found.dtype == np.uint8


def losses(without: float, count: int = 12) -> list[Loss]:
    return [Loss(8, 0, 4, 0.1, 0.9, [without] * 4, 0.5, 0.1, 0.1)] * count


@pytest.mark.parametrize(
    ("found", "holds"),
    [
        (losses(0.8), [True, True]),
        (losses(0.1), [True, False]),
        (losses(0.95), [False, False]),
        (losses(0.8, 3), [False, False]),
        ([], [False]),
    ],
)
def test_claims(found: list[Loss], holds: list[bool]) -> None:
    """A drop, and a little one; three images prove nothing."""
    assert [claim.holds for claim in repetition.claims(found, "digits")] == holds


@pytest.mark.slow
def test_digits(workspace: Workspace) -> None:
    found = repetition.perform(workspace)
    again = repetition.perform(workspace)
    assert found.to_dict() == again.to_dict(), "what was measured is kept"
    assert found.rows[0].ours.split(" (")[0].endswith("of 200")
    counted = len(found.numbers["digits"])
    assert all(f"n = {counted}" in row.ours for row in found.rows[1:])
