"""What kind of images: numbers for grey, smooth, simple and familiar.

Each is of one 8-bit image as it was classified, with 0 as black and 1 as white.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fooling.datasets.reading import Shape, read_splits
from fooling.errors import InvalidError
from fooling.store.elites import encode

Pixels = NDArray[np.uint8]

LEVEL = 9  # zlib's: PNG size as complexity
NEAR = 0.95  # of the test images: an image as near to a training image as these may show what that shows
_REFERENCES = 200  # test images whose own distance to the training set is measured
_BLOCK = 4096  # training images at a time


def grey_distance(pixels: Pixels) -> NDArray[np.float64]:
    """(N, H, W, C) to (N,): root mean square distance to mid-grey, 0 (grey) to 0.5 (black and white)."""
    return np.sqrt(np.mean((pixels / 255.0 - 0.5) ** 2, axis=(1, 2, 3)))


def total_variation(pixels: Pixels) -> NDArray[np.float64]:
    """(N, H, W, C) to (N,): mean absolute difference of neighbours, across and down (the anisotropic form of
    Rudin, Osher & Fatemi 1992, by pair): 0 (flat) to 1 (a checkerboard); uniform noise has 1/3."""
    values = pixels / 255.0
    across, down = np.abs(np.diff(values, axis=2)), np.abs(np.diff(values, axis=1))
    pairs = across[0].size + down[0].size
    return (across.sum(axis=(1, 2, 3)) + down.sum(axis=(1, 2, 3))) / max(pairs, 1)


def png_bytes(pixels: Pixels) -> NDArray[np.int64]:
    """(N, H, W, C) to (N,): size as PNG, a measure of complexity: patterns are small, noise is not."""
    return np.array([len(encode(image, level=LEVEL)) for image in pixels], np.int64)


@dataclass(frozen=True)
class Training:
    """A training set that images are held against.

    Attributes:
        pixels: (N, H, W, C) uint8.
        labels: (N,) int64.
        folder: where the images were read.
        usual: the median distance of test images to the nearest training image, for scale.
        near: the distance that a share of `NEAR` of the test images is within; NaN where it was not measured.
    """

    pixels: Pixels
    labels: NDArray[np.int64]
    folder: Path
    usual: float
    near: float = float("nan")


def read_training(path: Path, shape: Shape | None = None) -> Training:
    """Training images, in any form that has training and test images (`fooling.datasets.parts`).

    Args:
        shape: (H, W, C) that image files are brought to; None: they all have one size.

    Raises:
        NotFoundError, InvalidError: see `fooling.datasets.reading.read_splits`.
    """
    train, test, _ = read_splits(path, shape)
    distances, _ = _nearest(test.images[:_REFERENCES], train.images)
    usual, near = np.quantile(distances, [0.5, NEAR]).tolist()
    return Training(train.images, train.labels, path, usual, near)


def nearest(pixels: Pixels, training: Training) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """The root mean square distance of each image, (N, H, W, C), to the nearest training image, and its row: (N,)
    each.

    Raises:
        InvalidError: the training images are of another size, or in colour.
    """
    if pixels.shape[1:] != training.pixels.shape[1:]:
        expected, found = _shape(pixels), _shape(training.pixels)
        raise InvalidError(f"{training.folder}: expected images of {expected}, as the runs', found {found}")
    return _nearest(pixels, training.pixels)


def _nearest(pixels: Pixels, training: Pixels) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """The distance |a|^2 - 2ab + |b|^2, exact since it is computed of whole numbers in float64."""
    images = pixels.reshape(len(pixels), -1).astype(np.float64)
    best = np.full(len(images), np.inf)
    rows = np.full(len(images), -1)
    for start, block in _blocks(training):
        squared = (images**2).sum(1)[:, None] - 2 * images @ block.T + (block**2).sum(1)
        here = squared.argmin(axis=1)
        closer = squared[np.arange(len(images)), here] < best
        best[closer] = squared[closer, here[closer]]
        rows[closer] = start + here[closer]
    return np.sqrt(best / images.shape[1]) / 255, rows


def _blocks(pixels: Pixels) -> Iterator[tuple[int, NDArray[np.float64]]]:
    flat = pixels.reshape(len(pixels), -1)
    for start in range(0, len(flat), _BLOCK):
        yield start, flat[start : start + _BLOCK].astype(np.float64)


def _shape(pixels: Any) -> str:
    _, height, width, channels = pixels.shape
    return f"{width} x {height} {'grey' if channels == 1 else 'RGB'}"
