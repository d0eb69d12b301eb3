"""Do patterns recur? A measure that sees recurrence in noise, or misses it, would decide this for the paper or against
it by itself."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from fooling.reproduce.experiments import mosaic
from fooling.reproduce.permutation_tests import PermutationTest
from fooling.reproduce.workspace import Workspace

RUNS, CLASSES, SIDE = 12, 10, 12


def images(recurring: int, seed: int = 0) -> np.ndarray:
    """(RUNS, CLASSES, SIDE, SIDE) uint8: noise; classes below `recurring` have a pattern of their own beneath it."""
    generator = np.random.default_rng(seed)
    noise = generator.integers(0, 256, (RUNS, CLASSES, SIDE, SIDE))
    patterns = np.random.default_rng(99).integers(0, 256, (CLASSES, SIDE, SIDE))
    weight = (np.arange(CLASSES) < recurring)[:, None, None] * 0.5
    return ((1 - weight) * noise + weight * patterns).astype(np.uint8)


def test_patterns_that_recur_are_found() -> None:
    features = mosaic.pixels(images(CLASSES))
    assert mosaic.recognised(features).mean() > 0.95
    found = mosaic.recurrence(features)
    assert found.p == 0.001
    assert found.n == RUNS * CLASSES
    assert found.expected == pytest.approx(1 / CLASSES, abs=0.02)


def test_noise_does_not_recur() -> None:
    assert min(mosaic.recurrence(mosaic.pixels(images(0, seed))).p for seed in range(3)) > 0.05


def test_each_class_is_judged_for_itself() -> None:
    hits = mosaic.recognised(mosaic.pixels(images(4))).mean(axis=0)
    assert hits[:4].min() > 0.9
    assert hits[4:].max() < 0.5


def test_an_elite_does_not_vote_for_itself() -> None:
    """In its own centroid any image would be nearest to itself, and noise would recur."""
    lone = np.zeros((2, 2, 2))
    lone[0] = [[1, 0], [0, 1]]
    lone[1] = [[0, 1], [1, 0]]
    assert not mosaic.recognised(lone).any()


@given(st.integers(0, SIDE - 1), st.integers(0, SIDE - 1))
def test_the_spectrum_knows_no_place_and_no_polarity(dy: int, dx: int) -> None:
    """Else a pattern that recurs as its negative, or elsewhere, would count as another."""
    image = images(0)[0, 0]
    features = mosaic.spectrum(image)
    assert np.allclose(mosaic.spectrum(np.roll(image, (dy, dx), axis=(0, 1))), features)
    assert np.allclose(mosaic.spectrum(255 - image), features)
    assert np.linalg.norm(features) == pytest.approx(1.0)


def test_a_flat_image_has_no_spectrum() -> None:
    assert not mosaic.spectrum(np.full((3, 8, 8), 77, np.uint8)).any()


@pytest.mark.parametrize(
    ("p", "above", "holds"),
    [(0.001, 9, [True, True]), (0.001, 5, [True, False]), (0.2, 9, [False, False])],
)
def test_claims(p: float, above: int, holds: list[bool]) -> None:
    """Most digits say nothing where all of them together are no more than chance."""
    claims = mosaic.claims(PermutationTest(0.5, 0.1, 100, p), 0.5, above, 10)
    assert [claim.holds for claim in claims] == holds


@pytest.mark.slow
def test_digits(workspace: Workspace) -> None:
    found = mosaic.perform(workspace)
    assert all("n = 200" in test for test in found.tests)
    assert [len(row.values) for row in found.rows] == [20, 20]
    page = Image.open(io.BytesIO(found.figures[0].picture))
    assert page.size[0] > 20 * 28
    assert found.notes.count("\n| ") >= CLASSES
