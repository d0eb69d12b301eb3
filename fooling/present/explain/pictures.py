"""An elite with what its cells do laid over it, as PNGs."""

from __future__ import annotations

import base64
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fooling.studies.explain.evidence import grid
from fooling.studies.explain.removal import Removal

SIDE = 224  # pixels of a picture, about
# What promotes its class, what holds the rival down, what does both: orange, blue, violet, told apart without red and green.
_COLOURS = np.array([(0, 0, 0), (230, 97, 1), (33, 102, 204), (150, 70, 190)], np.float64)
_AGAINST = np.array((90, 90, 90), np.float64)


def elite(pixels: NDArray[np.uint8]) -> str:
    """The image itself, base64 of a PNG; the page enlarges it."""
    return _png(_rgb(pixels))


def effects(pixels: NDArray[np.uint8], removal: Removal) -> str:
    """The image, paled, with the colour of its kind over each cell: the stronger the effect, the stronger the colour."""
    strength = np.maximum(np.array(removal.promotion), np.array(removal.suppression)).clip(0)
    kinds = np.array(removal.kinds)
    return _over(pixels, removal.side, _COLOURS[kinds], _share(strength) * (kinds > 0))


def weights(pixels: NDArray[np.uint8], side: int, cells: tuple[float, ...]) -> str:
    """The image, paled, with orange where a map says that a cell is for the class and grey where it is against it."""
    values = np.array(cells)
    colours = np.where(values[:, None] > 0, _COLOURS[1], _AGAINST)
    return _over(pixels, side, colours, _share(np.abs(values)))


def needed(pixels: NDArray[np.uint8], removal: Removal) -> str:
    """The cells of the small set that is enough; the rest is transparent."""
    large, cells = _large(pixels, removal.side)
    shown = np.isin(cells, removal.needed)
    return _png(np.dstack([large, np.where(shown, 255, 0)]).astype(np.uint8))


def _share(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Values from 0 up as shares of the largest, with the small ones raised so that they can be seen."""
    return np.asarray((values / max(float(values.max(initial=0)), 1e-12)) ** 0.6)


def _over(
    pixels: NDArray[np.uint8], side: int, colours: NDArray[np.float64], strength: NDArray[np.float64]
) -> str:
    large, cells = _large(pixels, side)
    grey = large.mean(axis=2, keepdims=True) * 0.5 + 110
    alpha = (0.85 * strength)[cells][..., None]
    return _png(np.rint(grey * (1 - alpha) + colours[cells] * alpha).astype(np.uint8))


def _large(pixels: NDArray[np.uint8], side: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """The image about as large as pictures are, each pixel a whole number of theirs, and the cell of each pixel."""
    times = max(1, round(SIDE / max(pixels.shape[:2])))
    cells = grid(pixels.shape[0], pixels.shape[1], side)
    spread = [np.repeat(np.repeat(array, times, axis=0), times, axis=1) for array in (_rgb(pixels), cells)]
    return spread[0].astype(np.float64), spread[1]


def _rgb(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.repeat(pixels, 3, axis=2) if pixels.shape[2] == 1 else pixels


def _png(pixels: NDArray[np.uint8]) -> str:
    buffer = BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", optimize=True)
    return base64.b64encode(buffer.getvalue()).decode("ascii")
