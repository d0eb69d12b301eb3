"""An elite with what its cells do laid over it, as PNGs."""

from __future__ import annotations

from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fooling.studies.explain.evidence import grid
from fooling.studies.explain.result import Explained

SIDE = 224  # pixels of a picture, about
# What promotes its class, what holds the rival down, what does both: orange, blue, violet, told apart without red and green.
_COLOURS = np.array([(0, 0, 0), (230, 97, 1), (33, 102, 204), (150, 70, 190)], np.float64)
_AGAINST = np.array((90, 90, 90), np.float64)


def kinds(one: Explained) -> list[str]:
    """The names of the pictures of an elite."""
    needed = ["needed"] if one.removal.needed else []
    return ["elite", "effects", *needed, *(f"map-{place}" for place in range(len(one.maps)))]


def picture(one: Explained, pixels: NDArray[np.uint8], kind: str) -> bytes:
    """A picture of an elite, (H, W, C) uint8: "elite", the image itself; "effects", paled, with the colour of its kind over
    each cell, the stronger the effect, the stronger; "needed", the cells that are enough, the rest transparent; "map-0" and
    on, with orange where a map speaks for the class and grey where against it.

    Raises:
        KeyError: there is no such picture.
    """
    if kind not in kinds(one):
        raise KeyError(kind)
    removal = one.removal
    if kind == "elite":
        return _png(_rgb(pixels))
    if kind == "effects":
        strength = np.maximum(np.array(removal.promotion), np.array(removal.suppression)).clip(0)
        what = np.array(removal.kinds)
        return _over(pixels, removal.side, _COLOURS[what], _share(strength) * (what > 0))
    if kind == "needed":
        large, cells = _large(pixels, removal.side)
        shown = np.isin(cells, removal.needed)
        return _png(np.dstack([large, np.where(shown, 255, 0)]).astype(np.uint8))
    found = one.maps[int(kind.removeprefix("map-"))]
    values = np.array(found.cells)
    colours = np.where(values[:, None] > 0, _COLOURS[1], _AGAINST)
    return _over(pixels, found.side, colours, _share(np.abs(values)))


def _share(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Values from 0 up as shares of the largest, with the small ones raised so that they can be seen."""
    return np.asarray((values / max(float(values.max(initial=0)), 1e-12)) ** 0.6)


def _over(
    pixels: NDArray[np.uint8], side: int, colours: NDArray[np.float64], strength: NDArray[np.float64]
) -> bytes:
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


def _png(pixels: NDArray[np.uint8]) -> bytes:
    buffer = BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()
