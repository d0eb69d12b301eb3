"""The parts of an explanation, on classifiers of which the truth is known. A failure costs the meaning of a page: it would
point at the wrong pixels with the same confidence."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from torch import nn

from fooling.classifiers import Spec, from_module
from fooling.runs.evaluator import Evaluator, open_evaluator
from fooling.studies.explain import attributions, bands, probes
from fooling.studies.explain.curves import curve
from fooling.studies.explain.evidence import ask, grid, origin_of, rival_of
from fooling.studies.explain.removal import KINDS, kinds_of, remove

SIDE = 8
RANDOM = np.random.Generator(np.random.Philox(key=5))
IMAGE = RANDOM.integers(0, 256, (SIDE, SIDE, 1), np.uint8)
WEIGHTS = torch.from_numpy(RANDOM.normal(0, 1, (4, SIDE * SIDE)).astype(np.float32))


class Linear(nn.Module):
    """Logits that are sums over pixels."""

    def __init__(self) -> None:
        super().__init__()
        self.weights = nn.Parameter(WEIGHTS)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return images.flatten(1) @ self.weights.T


@pytest.fixture(scope="module")
def linear() -> Iterator[Evaluator]:
    spec = Spec(name="linear", size=SIDE, colour="grey", labels=("a", "b", "c", "d"))
    with open_evaluator(from_module(Linear().eval(), spec)) as evaluator:
        yield evaluator


def pixel_weights(target: int) -> NDArray[np.float64]:
    """(H, W): what a pixel's value is worth in the evidence of a class."""
    return np.asarray((WEIGHTS[target] - WEIGHTS.mean(dim=0)).reshape(SIDE, SIDE), np.float64)


def test_the_promotions_of_a_linear_classifier_add_up(linear: Evaluator) -> None:
    """And each is the cell's own sum."""
    origin = origin_of(IMAGE, "mean")
    cells = grid(SIDE, SIDE, 4)
    found = remove(linear, IMAGE, origin, cells, 2, "mean")
    evidence = ask(linear, np.stack([IMAGE, origin])).evidence[:, 2]
    assert sum(found.promotion) == pytest.approx(evidence[0] - evidence[1], abs=1e-4)
    effect = pixel_weights(2) * (IMAGE - origin.astype(np.float64))[:, :, 0] / 255
    assert found.promotion == pytest.approx(np.bincount(cells.ravel(), effect.ravel()), abs=1e-4)


def test_all_cells_removed_are_the_origin(linear: Evaluator) -> None:
    """The smallest set that is enough is confident by itself, and the elite without any cell is the origin."""
    best = np.where(pixel_weights(1) > 0, 255, 0).astype(np.uint8)[:, :, None]
    origin = origin_of(best, "blank")
    found = remove(linear, best, origin, grid(SIDE, SIDE), 1, "blank")
    assert found.origin_confidence == pytest.approx(ask(linear, origin[None]).confidences[0, 1])
    kept = np.isin(grid(SIDE, SIDE), found.needed)[:, :, None]
    alone = ask(linear, np.where(kept, best, origin)[None]).confidences[0, 1]
    assert alone == found.needed_confidence >= 0.99
    assert 0 < len(found.needed) < (SIDE // 4) ** 2 + 1


def test_what_a_cell_does() -> None:
    """Xu et al. 2019: one effect outweighs the other where it is more than twice as large."""
    promotion = np.array([1.0, 1.0, 1.0, 0.1, 0.001, -1.0])
    suppression = np.array([0.1, 0.6, 3.0, 1.0, 0.001, -0.5])
    kinds = [KINDS[kind] for kind in kinds_of(promotion, suppression)]
    assert kinds == ["promotes", "both", "suppresses", "suppresses", "neither", "neither"]
    assert kinds_of(np.zeros(3), np.zeros(3)).tolist() == [0, 0, 0]


def test_integrated_gradients_of_a_linear_classifier(linear: Evaluator) -> None:
    """They add up to what was gained, and point where the weights do."""
    baseline = origin_of(IMAGE, "blank")
    found = attributions.integrated_gradients(linear, IMAGE, baseline, 2, RANDOM, copies=1, noise=0.0)
    gained = np.log(ask(linear, np.stack([IMAGE, baseline])).confidences[:, 2])
    assert found.sum() == pytest.approx(gained[0] - gained[1], abs=0.05)


def test_smooth_taylor_of_a_quadratic() -> None:
    """Of a sum of c_i x_i^2 it is -2 sigma^2 c_i in expectation, as far as roots stay in range."""
    curvature = torch.linspace(-4, 4, SIDE * SIDE)

    class Quadratic(nn.Module):
        def forward(self, images: torch.Tensor) -> torch.Tensor:
            value = (images.flatten(1) - 0.5) ** 2 @ curvature
            return torch.stack([value, torch.zeros_like(value)], 1)

    spec = Spec(name="quadratic", size=SIDE, colour="grey", labels=("a", "b"), output="sigmoid")
    grey = np.full((SIDE, SIDE, 1), 128, np.uint8)
    with open_evaluator(from_module(Quadratic().eval(), spec)) as evaluator:
        found = attributions.smooth_taylor(evaluator, grey, 0, RANDOM, roots=3000, spread=0.1)
    # The evidence is a logit, whose logarithm of the confidence has half its slope at 0.
    expected = -2 * 0.1**2 * curvature.numpy().reshape(SIDE, SIDE) / 2
    assert np.corrcoef(found.ravel(), expected.ravel())[0, 1] > 0.98
    assert np.polyfit(expected.ravel(), found.ravel(), 1)[0] == pytest.approx(1, abs=0.1)


def test_fragments_need_no_gradients(linear: Evaluator) -> None:
    origin = origin_of(IMAGE, "mean")
    found = attributions.fragments(linear, IMAGE, origin, 2, RANDOM, [grid(SIDE, SIDE, 8)], masks=2000)
    effect = pixel_weights(2) * (IMAGE - origin.astype(np.float64))[:, :, 0] / 255
    assert np.corrcoef(found.ravel(), effect.ravel())[0, 1] > 0.9


def test_a_right_map_beats_random_orders_and_a_wrong_one_does_not(linear: Evaluator) -> None:
    best = np.where(pixel_weights(1) > 0, 255, 0).astype(np.uint8)[:, :, None]
    origin = origin_of(best, "mean")
    truth: NDArray[np.float64] = pixel_weights(1) * (best[:, :, 0] - origin[:, :, 0].astype(np.float64))
    right = curve(linear, "right", truth, best, origin, 1, RANDOM)
    wrong = curve(linear, "wrong", -truth, best, origin, 1, RANDOM)
    assert right.deletion_area < right.random_deletion_area < wrong.deletion_area
    assert right.insertion_area > right.random_insertion_area > wrong.insertion_area
    assert right.deletion[0] == right.insertion[-1]
    assert right.deletion[-1] == right.insertion[0]


@given(st.integers(1, 12), st.integers(1, 12), st.sampled_from([1, 3]), st.integers(1, 5), st.integers(0, 99))
def test_shuffling_loses_no_pixel(height: int, width: int, channels: int, tiles: int, seed: int) -> None:
    image = np.random.default_rng(seed).integers(0, 256, (height, width, channels), np.uint8)
    before = image.copy()
    tiles = min(tiles, height, width)
    made = probes.shuffled(image, tiles, np.random.default_rng(seed))
    rows = lambda pixels: sorted(map(tuple, pixels.reshape(-1, channels).tolist()))  # noqa: E731
    assert rows(made) == rows(image)
    assert np.array_equal(image, before)
    assert tiles > 1 or np.array_equal(made, image)


def test_the_mildest_settings_change_nothing() -> None:
    values = np.arange(256, dtype=np.uint8).reshape(16, 16, 1)
    assert np.array_equal(probes.saturated(values, 2), values)
    assert set(probes.saturated(values, 2**20).ravel().tolist()) == {0, 255}
    assert np.array_equal(bands.to_pixels(bands.low_pass(values, 1)), values)
    assert np.array_equal(bands.to_pixels(bands.high_pass(values, 0)), values)


@pytest.mark.parametrize("shape", [(8, 8, 1), (7, 12, 3), (1, 5, 1)])
def test_without_its_frequencies_an_image_is_its_mean(shape: tuple[int, int, int]) -> None:
    image = np.random.default_rng(3).integers(0, 256, shape, np.uint8)
    mean = np.broadcast_to(image.mean(axis=(0, 1)), shape)
    assert bands.low_pass(image, 0) == pytest.approx(mean)
    assert bands.high_pass(image, 1) == pytest.approx(mean)


def test_superpixels_follow_colours() -> None:
    image = np.zeros((12, 12, 3), np.uint8)
    image[:, 6:] = (200, 40, 90)
    found = attributions.superpixels(image, 16)
    assert not set(found[:, :6].ravel()) & set(found[:, 6:].ravel())


def test_the_rival_is_another_class() -> None:
    assert rival_of(np.array([3.0, 9.0, 4.0]), 1) == 2
    assert rival_of(np.array([3.0]), 0) == 0
