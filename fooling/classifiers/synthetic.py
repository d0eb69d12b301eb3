"""A batch of images that any process can make again: what a network is known to say about it is kept with
its weights, so that one that is not really loaded is noticed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fooling.sizes import Size, sides

COUNT = 8


def synthetic(size: Size, channels: int, count: int = COUNT) -> NDArray[np.uint8]:
    """(count, height, width, channels) uint8. Integer arithmetic only, so equal on every machine.

    Image i is a mosaic of squares of about a seventh of its shorter side; the grey value of the square in row r and
    column c is 251 (r + 1) (c + 2 i + 3) (r + c + k + 1) mod 256 in channel k, which is bright or dark with
    no bias, and different for every i.
    """
    height, width = sides(size)
    cell = max(1, min(height, width) // 7)
    image, row, column, channel = np.ogrid[:count, :height, :width, :channels]
    r, c = row // cell, column // cell
    return (251 * (r + 1) * (c + 2 * image + 3) * (r + c + channel + 1) % 256).astype(np.uint8)
