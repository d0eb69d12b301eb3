"""A run at a glance: its surest elites in one small picture, so that a page of many runs is a picture each."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image

if TYPE_CHECKING:
    from fooling.store.snapshot import Snapshot

COLUMNS, ROWS = 4, 2
_SIDE = 96  # pixels of the longer side of an image, at most
_GAP = 6


def preview(view: Snapshot | None) -> bytes:
    """A PNG with the surest elites, eight at most, row by row, on a transparent ground. Images that are the elite of several
    classes are shown once. Small images are enlarged by whole numbers, large ones averaged down.

    Args:
        view: None for a run that has not begun: nothing is on the picture.
    """
    tiles = [] if view is None else [_tile(view.archive.pixels[row]) for row in _surest(view)]
    height, width = tiles[0].shape[:2] if tiles else (_SIDE, _SIDE)
    canvas = np.zeros((ROWS * (height + _GAP) - _GAP, COLUMNS * (width + _GAP) - _GAP, 4), np.uint8)
    for number, tile in enumerate(tiles):
        row, column = divmod(number, COLUMNS)
        top, left = row * (height + _GAP), column * (width + _GAP)
        canvas[top : top + height, left : left + width, :3] = tile
        canvas[top : top + height, left : left + width, 3] = 255
    buffer = io.BytesIO()
    Image.fromarray(canvas).save(buffer, "PNG")
    return buffer.getvalue()


def _surest(view: Snapshot) -> list[int]:
    """The rows of the images to show, the surest first; equals are in the order of their classes."""
    numbers = np.flatnonzero(view.occupied)
    order = numbers[np.argsort(-view.confidence[numbers], kind="stable")]
    return list(dict.fromkeys(view.stored_rows[order].tolist()))[: COLUMNS * ROWS]


def _tile(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(H, W, C) pixels as (h, w, 3 or 1) of about `_SIDE`."""
    longer = max(pixels.shape[:2])
    if longer <= _SIDE:
        factor = _SIDE // longer
        return pixels.repeat(factor, 0).repeat(factor, 1)
    height, width = (max(1, round(side * _SIDE / longer)) for side in pixels.shape[:2])
    image = Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)
    return np.asarray(image.resize((width, height), Image.Resampling.BOX)).reshape(height, width, -1)
