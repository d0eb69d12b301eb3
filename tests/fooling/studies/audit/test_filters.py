"""The transforms. A transform that does something else than its name says makes every number of its row a number about
another defence; one that answers differently twice makes runs through it unrepeatable."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from fooling.studies.audit.transforms import filters


def images(count: int = 3, size: int = 16, channels: int = 3) -> NDArray[np.uint8]:
    random = np.random.Generator(np.random.Philox(1))
    return random.integers(0, 256, (count, size, size, channels), dtype=np.uint8)


def floyd_steinberg(plane: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Error diffusion as in the paper: 7, 3, 5 and 1 sixteenths, added up exactly, then divided towards 0."""
    height, width = plane.shape
    errors, out = np.zeros((height + 1, width + 2), int), np.zeros_like(plane)
    for row in range(height):
        for column in range(width):
            wanted = min(255, max(0, int(plane[row, column]) + int(errors[row, column + 1] / 16)))
            out[row, column] = 255 if wanted > 128 else 0
            left = wanted - int(out[row, column])
            errors[row, column + 2] += 7 * left
            errors[row + 1, column] += 3 * left
            errors[row + 1, column + 1] += 5 * left
            errors[row + 1, column + 2] += left
    return out


def test_halftone_is_floyd_and_steinbergs_of_each_channel() -> None:
    given = images()
    found = filters.halftone(given)
    for image, out in zip(given, found, strict=True):
        for channel in range(3):
            expected = floyd_steinberg(image[:, :, channel])
            assert (out[:, :, channel] == expected).all()
            assert (expected == np.asarray(Image.fromarray(image[:, :, channel]).convert("1")) * 255).all()


def test_halftone_keeps_brightness_and_what_is_black_and_white_already() -> None:
    ramp = np.tile(np.linspace(16, 239, 64).astype(np.uint8), (1, 64, 1))[..., None]
    dots = filters.halftone(ramp)
    assert abs(dots.mean() - ramp.mean()) <= 2  # of 255, over the image; a block of 8 x 8 has 65 levels only
    blocks = (dots.astype(float) - ramp).reshape(8, 8, 8, 8).mean(axis=(1, 3))
    assert np.abs(blocks).max() <= 16
    assert (filters.halftone(dots) == dots).all()


@pytest.mark.parametrize("transform", filters.TRANSFORMS, ids=lambda transform: transform.name)
@pytest.mark.parametrize("channels", [1, 3])
def test_each_gives_images_of_the_same_kind_and_always_the_same(
    transform: filters.Transform, channels: int
) -> None:
    given = images(channels=channels)
    before = given.copy()
    found = transform.apply(given)
    assert found.dtype == np.uint8
    assert found.shape == given.shape
    assert (given == before).all()
    assert (found != given).any()
    alone = transform.apply(given[1:2])
    assert (alone[0] == found[1]).all(), "an image's transform depends on what comes with it"
    assert transform.apply(given[:0]).shape == given[:0].shape


def test_the_numbers_mean_what_the_names_say() -> None:
    grey = np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1)
    for bits in (5, 4, 3):
        steps = 2**bits - 1
        expected = np.rint(np.rint(np.arange(256) / 255 * steps) / steps * 255)
        assert (filters.bit_depth(grey, bits).ravel() == expected).all()
    salt = np.zeros((1, 9, 9, 1), np.uint8)
    salt[0, 4, 4] = 255
    assert not filters.median(salt, 3).any()
    assert filters.blur(salt, 1.0)[0, 4, 4, 0] == round(255 * 0.39905**2)
    flat = np.full((1, 64, 64, 1), 128, np.uint8)
    assert abs((filters.noise(flat, 8.0) - 128.0).std() - 8) < 0.5
    assert 0.6 < (filters.resize_pad(flat) > 0).mean() <= 1
    copies = filters.noisy_copies(flat, [0.0, 8.0, 24.0])[0]
    assert (copies[0] == flat[0]).all()
    assert [round(float(copy.std())) for copy in copies] == [0, 8, 24]
