"""Finds the repeated element of an image, by template matching: a patch that recurs at places apart.

Every patch of the image is held against all others by normalised correlation (Lewis 1995). Places where it fits
well are copies; two of them are the same copy while it still half fits all the way between: so a bar along which a
patch slides is one copy, and a row of stripes is many.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SIDE = 28  # images are searched at this size at most
PATCH = 7  # side of the element
LIKE = 0.85  # correlation of a copy with the element, at least
APART = 0.5  # below this, the element does not fit: what parts two copies
CONTRAST = 0.2  # standard deviation of the element's greys in [0, 1], at least: a flat patch fits anywhere
FEWEST = 4  # copies


@dataclass(frozen=True)
class Copies:
    """An element of an image, and the places of its copies.

    Attributes:
        masks: (copies, H, W) bool, disjoint; the first is the one that the others resemble, then the most alike.
        likeness: (copies,) float64, the best correlation of each with the element, descending.
    """

    masks: NDArray[np.bool_]
    likeness: NDArray[np.float64]

    @property
    def but_one(self) -> NDArray[np.bool_]:
        """(H, W) bool: all copies but the first."""
        return np.asarray(self.masks[1:].any(axis=0))


def find_copies(image: NDArray[np.uint8]) -> Copies | None:
    """The element with the most copies (of several, the one with the most alike), or None where none has `FEWEST`.

    Args:
        image: (H, W, C) uint8, C = 1 or 3.
    """
    grey = _reduced(image)
    patches, fits = _correlations(grey)
    best: tuple[tuple[int, float], NDArray[np.float64], NDArray[np.int64]] | None = None
    for row in patches:
        regions, likeness = _regions(fits[row])
        if len(likeness) >= FEWEST and (best is None or (len(likeness), likeness.mean()) > best[0]):
            best = (len(likeness), float(likeness.mean())), likeness, _split(regions, fits[row])
    if best is None:
        return None
    _, likeness, owner = best
    large = _enlarged(owner, image.shape[:2])
    return Copies(np.array([large == number for number in range(len(likeness))]), likeness)


def _reduced(image: NDArray[np.uint8]) -> NDArray[np.float64]:
    """(H, W, C) to luminance in [0, 1], of at most `SIDE` pixels a side."""
    page = Image.fromarray(image[..., 0] if image.shape[2] == 1 else image).convert("L")
    if max(page.size) > SIDE:
        page = page.resize((SIDE, SIDE), Image.Resampling.BOX)
    return np.asarray(page) / 255.0


def _correlations(grey: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The patches to try as elements, and (patches, rows, columns) correlations of every patch with every other; 0
    with one that has no contrast."""
    windows = np.lib.stride_tricks.sliding_window_view(grey, (PATCH, PATCH))
    flat = windows.reshape(-1, PATCH * PATCH)
    centred = flat - flat.mean(axis=1, keepdims=True)
    strong = centred.std(axis=1) >= CONTRAST
    centred[~strong] = 0.0
    unit = centred / np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-9)
    rows, columns = windows.shape[:2]
    # Every second place: neighbours are nearly the same element.
    tried = np.flatnonzero(strong & _every_second(rows, columns).ravel())
    return tried, (unit @ unit.T).reshape(-1, rows, columns)


def _every_second(rows: int, columns: int) -> NDArray[np.bool_]:
    return (np.arange(rows)[:, None] % 2 == 0) & (np.arange(columns) % 2 == 0)


def _regions(fit: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """(rows, columns): the number of the copy at each place, -1 for none; and how like each copy is, descending."""
    from scipy import ndimage

    labels, count = ndimage.label(fit >= APART, np.ones((3, 3)))
    peaks = np.asarray(ndimage.maximum(fit, labels, np.arange(1, count + 1)))
    kept = np.flatnonzero(peaks >= LIKE)
    kept = kept[np.argsort(-peaks[kept], kind="stable")]
    numbers = np.full(count + 1, -1)
    numbers[kept + 1] = np.arange(len(kept))
    return numbers[labels], peaks[kept]


def _split(regions: NDArray[np.int64], fit: NDArray[np.float64]) -> NDArray[np.int64]:
    """(H, W): the number of the copy that each pixel belongs to, which is the nearest within half a patch; -1 for none.
    Elements may be narrower than a patch, and then patches of neighbours overlap."""
    from scipy import ndimage

    margin = PATCH // 2
    centres = np.pad(np.where(fit >= LIKE, regions, -1), margin, constant_values=-1)
    distance, (y, x) = ndimage.distance_transform_edt(centres < 0, return_indices=True)
    return np.where(distance <= PATCH / 2, centres[y, x], -1)


def _enlarged(owner: NDArray[np.int64], shape: tuple[int, ...]) -> NDArray[np.int64]:
    height, width = shape
    y, x = np.arange(height) * owner.shape[0] // height, np.arange(width) * owner.shape[1] // width
    return owner[y[:, None], x]
