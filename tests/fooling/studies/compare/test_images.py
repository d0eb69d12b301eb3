"""Image statistics against plain definitions. A failure costs the words "grey", "noise" and "far from any digit"."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from fooling.errors import InvalidError
from fooling.studies.compare import images
from fooling.studies.compare.images import Training

pictures = arrays(
    np.uint8, st.tuples(st.just(2), st.integers(1, 5), st.integers(1, 5), st.sampled_from([1, 3]))
)


def picture(values: np.ndarray) -> np.ndarray:
    return np.asarray(values, np.uint8).reshape(1, *values.shape, 1)


CHECKS = picture(255 * (np.indices((8, 8)).sum(0) % 2))
FLAT = picture(np.full((8, 8), 255))
NOISE = np.random.default_rng(0).integers(0, 256, (1, 64, 64, 1), np.uint8)


def test_the_ends_of_the_scales() -> None:
    assert images.grey_distance(CHECKS) == pytest.approx(0.5)
    assert images.grey_distance(picture(np.full((3, 3), 128))) == pytest.approx(0.5 / 255)
    assert images.grey_distance(NOISE) == pytest.approx(1 / np.sqrt(12), rel=0.03)
    assert images.total_variation(CHECKS) == 1
    assert images.total_variation(FLAT) == 0
    assert images.total_variation(NOISE) == pytest.approx(1 / 3, rel=0.03)


@given(pictures)
@settings(max_examples=60)
def test_total_variation_is_the_mean_step(pixels: np.ndarray) -> None:
    _, height, width, channels = pixels.shape
    for image, found in zip(pixels.astype(int), images.total_variation(pixels), strict=True):
        steps = [
            abs(image[y, x, c] - image[y + dy, x + dx, c]) / 255
            for y in range(height)
            for x in range(width)
            for c in range(channels)
            for dy, dx in ((0, 1), (1, 0))
            if y + dy < height and x + dx < width
        ]
        assert found == pytest.approx(np.mean(steps) if steps else 0)


def test_patterns_are_smaller_than_noise() -> None:
    stripes = np.tile(255 * (np.arange(64) // 8 % 2), (64, 1))
    flat, striped, noise = (
        int(images.png_bytes(x)[0]) for x in (picture(np.zeros((64, 64))), picture(stripes), NOISE)
    )
    assert flat < striped < noise / 10


def training(pixels: np.ndarray) -> Training:
    return Training(pixels, np.arange(len(pixels)), Path("digits"), 0.1)


@given(st.integers(0, 2**32))
@settings(max_examples=20)
def test_nearest_is_the_nearest(seed: int) -> None:
    """Whatever block of the training set it lies in."""
    rng = np.random.default_rng(seed)
    known, asked = (rng.integers(0, 256, (n, 3, 3, 1), np.uint8) for n in (50, 4))
    asked[0] = known[37]
    images._BLOCK, before = 7, images._BLOCK
    try:
        distances, rows = images.nearest(asked, training(known))
    finally:
        images._BLOCK = before
    all_of_them = np.sqrt(((asked[:, None] / 255 - known[None] / 255) ** 2).mean(axis=(2, 3, 4)))
    assert distances == pytest.approx(all_of_them.min(axis=1))
    assert distances[0] == 0
    assert all_of_them[np.arange(4), rows] == pytest.approx(all_of_them.min(axis=1))


def test_other_images_are_refused() -> None:
    with pytest.raises(
        InvalidError, match="digits: expected images of 4 x 4 RGB, as the runs', found 3 x 3 grey"
    ):
        images.nearest(np.zeros((1, 4, 4, 3), np.uint8), training(np.zeros((2, 3, 3, 1), np.uint8)))


def test_test_digits_are_near_training_digits(assets: Path) -> None:
    """A failure costs the yardstick: what distance is near?"""
    digits = images.read_training(assets / "mnist")
    assert digits.pixels.shape == (60000, 28, 28, 1)
    assert 0.1 < digits.usual < 0.2 < digits.near < 0.25
