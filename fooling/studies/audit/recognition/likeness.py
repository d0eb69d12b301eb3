"""How near an image is to real images of a class, measured by what real images keep of each other.

The distance of an image from a class is that from the nearest of some real images of it. It means nothing by itself: it
is held against the distances of other real images of the class, and of real images of other classes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

COARSE = 32  # pixels of a side, at most: to this, images are averaged before pixels are compared
SHIFT = 2  # pixels of the coarse image, in either direction
LEAST = 5  # real images of a class, at least, among those that are compared with
KEPT = 200  # real images of a class that are compared with, at most
_NEAR, _FAR = 0.9, 0.5  # quantiles: of the class's own distances, of those of other classes
_APART = 0.8  # AUROC of the two, below which a space does not tell the class from others

Array = NDArray[np.float32]


@dataclass(frozen=True)
class Scale:
    """What distances from a class mean.

    Attributes:
        own: (n,) ascending distances of real images of the class.
        near: up to here, an image is as near as real images of the class are: nine of ten of them.
        far: from here on, it is as far as real images of other classes are: half of them.
    """

    own: Array
    near: float
    far: float

    def nearness(self, distances: Array) -> Array:
        """1 up to `near`, 0 from `far` on, straight in between."""
        return np.clip((self.far - distances) / (self.far - self.near), 0, 1).astype(np.float32)


@dataclass(frozen=True)
class Space:
    """Real images as vectors, by class, with the scale of each class that can be told from others.

    Attributes:
        kept: by class, (n, D) vectors that are compared with.
        scales: of the classes that have one.
        shifted: whether an image is compared in several shifted copies.
    """

    kept: Mapping[int, Array]
    scales: Mapping[int, Scale]

    def distances(self, vectors: Array, number: int) -> Array:
        """(n,) distances of images from a class.

        Args:
            vectors: (n, copies, D); the nearest copy counts.
        """
        return nearest(vectors, self.kept[number])

    def nearness(self, vectors: Array, classes: NDArray[np.int64]) -> tuple[Array, Array]:
        """(n,) nearness and (n,) distance of images, each for its class; NaN where its class has no scale."""
        near = np.full(len(classes), np.nan, np.float32)
        far = near.copy()
        for number in np.unique(classes).tolist():
            if number in self.scales:
                rows = np.flatnonzero(classes == number)
                far[rows] = self.distances(vectors[rows], number)
                near[rows] = self.scales[number].nearness(far[rows])
        return near, far


def space_of(
    kept: Array, kept_classes: NDArray[np.int64], held: Array, held_classes: NDArray[np.int64]
) -> Space:
    """A space from two sets of real images that share none.

    Args:
        kept: (n, D), compared with.
        held: (m, copies, D), whose distances make the scales.
    """
    banks = {
        number: kept[kept_classes == number][:KEPT]
        for number in np.unique(kept_classes).tolist()
        if (kept_classes == number).sum() >= LEAST
    }
    scales = {}
    for number, bank in banks.items():
        distances = nearest(held, bank)
        scale = _scale(distances[held_classes == number], distances[held_classes != number])
        if scale is not None:
            scales[number] = scale
    return Space(banks, scales)


def _scale(own: Array, others: Array) -> Scale | None:
    """The scale of a class; None where its own images are not clearly nearer than those of other classes."""
    if len(own) < LEAST or len(others) < LEAST:
        return None
    near, far = float(np.quantile(own, _NEAR)), float(np.quantile(others, _FAR))
    # The share of pairs in which the class's own image is the nearer one: the AUROC (Hanley & McNeil 1982).
    ranks = np.searchsorted(np.sort(others), own, side="right")
    apart = 1 - float(ranks.mean()) / len(others)
    return Scale(np.sort(own), near, far) if apart >= _APART and near < far else None


def nearest(vectors: Array, bank: Array) -> Array:
    """(n,) root mean square differences between images and the nearest of a bank, in the nearest of their copies.

    Args:
        vectors: (n, copies, D).
        bank: (m, D).
    """
    count, copies, width = vectors.shape
    squares = np.einsum("md,md->m", bank, bank)
    found = np.empty(count, np.float32)
    for start in range(0, count, 64):  # bounds the memory of the products
        part = vectors[start : start + 64].reshape(-1, width)
        gaps = np.einsum("nd,nd->n", part, part)[:, None] + squares - 2 * part @ bank.T
        found[start : start + 64] = gaps.reshape(-1, copies * len(bank)).min(axis=1)
    return np.asarray(np.sqrt(np.maximum(found, 0) / width), np.float32)


def shifted(pixels: NDArray[np.uint8]) -> Array:
    """(n, 25, D) coarse images in [0, 1], each shifted by up to two pixels either way; what comes in is the edge."""
    images = coarse(pixels)
    count, height, width, _ = images.shape
    edge = np.pad(images, ((0, 0), (SHIFT, SHIFT), (SHIFT, SHIFT), (0, 0)), mode="edge")
    copies = [
        edge[:, top : top + height, left : left + width].reshape(count, -1)
        for top in range(2 * SHIFT + 1)
        for left in range(2 * SHIFT + 1)
    ]
    return np.stack(copies, axis=1)


def flat(pixels: NDArray[np.uint8]) -> Array:
    """(n, D) coarse images in [0, 1], as they are."""
    images = coarse(pixels)
    return images.reshape(len(images), -1)


def coarse(pixels: NDArray[np.uint8]) -> Array:
    """(n, h, w, C) float32 in [0, 1], no side longer than 32 pixels: of larger images, the mean over blocks."""
    height, width = pixels.shape[1:3]
    block = -(-max(height, width) // COARSE)
    images: Array = pixels.astype(np.float32) / np.float32(255)
    if block == 1:
        return images
    h, w = height // block, width // block
    cut = images[:, : h * block, : w * block]
    means: Array = cut.reshape(len(images), h, block, w, block, -1).mean((2, 4), dtype=np.float32)
    return means


def directions(features: Array) -> Array:
    """(n, 1, F) features of length 1: what points the same way is near, however strong it is (Sun et al. 2022)."""
    lengths = np.linalg.norm(features, axis=1, keepdims=True)
    return (features / np.maximum(lengths, 1e-12))[:, None].astype(np.float32)
