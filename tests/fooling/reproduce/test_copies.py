"""The detector of repeated elements. One that sees copies in noise, or in a bar that slides along itself, would make the
experiment on repetition an experiment on damage."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from fooling.reproduce.copies import FEWEST, SIDE, find_copies


def stripes(period: int, side: int = SIDE) -> np.ndarray:
    """(side, side, 1) uint8: vertical, a sine."""
    x = np.arange(side)
    row = 127.5 + 127.5 * np.cos(2 * np.pi * (x + 0.5) / period)
    return np.tile(row.astype(np.uint8), (side, 1))[..., None]


def dots(rows: int, columns: int, side: int = SIDE, channels: int = 1) -> np.ndarray:
    """(side, side, channels) uint8: small blobs on black, evenly spaced."""
    image = np.zeros((side, side))
    for y in range(rows):
        for x in range(columns):
            place = int((y + 0.5) * side / rows), int((x + 0.5) * side / columns)
            image[place] = 1.0
    blurred = ndimage.gaussian_filter(image, 1.2 * side / SIDE)
    return np.repeat((255 * blurred / blurred.max()).astype(np.uint8)[..., None], channels, axis=2)


@pytest.mark.parametrize("period", [5, 7])
def test_stripes_are_counted(period: int) -> None:
    """A copy more or fewer at the edges, where a stripe is cut."""
    found = find_copies(stripes(period))
    assert found is not None
    assert abs(len(found.masks) - SIDE // period) <= 1
    assert found.likeness.min() >= 0.85
    # One copy is one stripe: as wide as the period, and most of the image high.
    heights, widths = found.masks.sum(axis=1).max(axis=1), found.masks.sum(axis=2).max(axis=1)
    assert (heights >= SIDE - 6).all()
    assert (widths <= period + 1).all()


@pytest.mark.parametrize(("side", "channels"), [(SIDE, 1), (128, 3)])
def test_dots_are_found_where_they_are(side: int, channels: int) -> None:
    image = dots(2, 3, side, channels)
    found = find_copies(image)
    assert found is not None
    assert len(found.masks) == 6
    assert found.masks.shape[1:] == (side, side)
    for mask in found.masks:
        assert image[mask].max() > 200, "each copy covers a dot"
        _, blobs = ndimage.label(mask)
        assert blobs == 1
    assert found.masks.sum(axis=0).max() == 1, "no pixel is of two copies"
    assert (found.but_one == found.masks[1:].any(axis=0)).all()


def test_too_few_are_no_repetition() -> None:
    assert FEWEST == 4
    assert find_copies(dots(1, 3)) is None


@pytest.mark.parametrize("blur", [0.0, 1.0])
def test_noise_repeats_nothing(blur: float) -> None:
    generator = np.random.default_rng(0)
    for _ in range(10):
        noise = ndimage.gaussian_filter(generator.random((SIDE, SIDE)), blur)
        noise = (noise - noise.min()) / np.ptp(noise)
        assert find_copies((255 * noise).astype(np.uint8)[..., None]) is None


def test_a_bar_is_one_thing() -> None:
    """A patch slides along it and fits everywhere."""
    bar = np.zeros((SIDE, SIDE, 1), np.uint8)
    bar[:, 12:16] = 255
    assert find_copies(bar) is None
    assert find_copies(np.full((SIDE, SIDE, 1), 90, np.uint8)) is None
