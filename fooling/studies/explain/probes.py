"""Texture or layout? Two changes that each destroy one of them (Zhang et al. 2022, arXiv 2207.05756, section 4; their tiles
come back transposed, ours do not).

*Shuffled* tiles keep what is local and lose the layout. *Saturated* values keep the outlines and lose the texture.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fooling.runs.evaluator import Evaluator
from fooling.validation import Data, Many

TILES = (1, 2, 4, 8)
POWERS = (2, 8, 16, 64, 1024)
DRAWS = 4  # random orders of the tiles, over which confidences are averaged


class Probe(Data):
    """The confidence of an image in its class as it is changed more and more.

    Attributes:
        tiles: in a row; 1 is the image itself.
        shuffled: the mean confidence over some random orders of so many tiles squared.
        powers: of the saturation; 2 is the image itself.
        saturated: the confidence at each.
    """

    tiles: Many[int]
    shuffled: Many[float]
    powers: Many[int]
    saturated: Many[float]


def probe(evaluator: Evaluator, image: NDArray[np.uint8], target: int, random: np.random.Generator) -> Probe:
    """Ask about an image, (H, W, C) uint8, shuffled and saturated."""
    tiles = tuple(number for number in TILES if number <= min(image.shape[:2]))
    pictures = [shuffled(image, number, random) for number in tiles for _ in range(DRAWS)]
    pictures += [saturated(image, power) for power in POWERS]
    confidences = evaluator.evaluate(np.stack(pictures)).confidences[:, target].astype(np.float64)
    cut = len(tiles) * DRAWS
    return Probe(
        tiles=tiles,
        shuffled=tuple(confidences[:cut].reshape(len(tiles), DRAWS).mean(axis=1).tolist()),
        powers=POWERS,
        saturated=tuple(confidences[cut:].tolist()),
    )


def shuffled(image: NDArray[np.uint8], tiles: int, random: np.random.Generator) -> NDArray[np.uint8]:
    """An image cut into tiles x tiles tiles, which change places. Rows and columns that are left over at the bottom and at
    the right stay where they are; the pixels are the same ones."""
    made = image.copy()
    if tiles == 1:
        return made
    height, width = image.shape[0] // tiles, image.shape[1] // tiles
    order = random.permutation(tiles * tiles)
    for place, source in enumerate(order.tolist()):
        row, column = divmod(place, tiles)
        from_row, from_column = divmod(source, tiles)
        made[row * height : (row + 1) * height, column * width : (column + 1) * width] = image[
            from_row * height : (from_row + 1) * height, from_column * width : (from_column + 1) * width
        ]
    return made


def saturated(image: NDArray[np.uint8], power: float) -> NDArray[np.uint8]:
    """An image whose values v in [0, 1] are pushed to the ends: sign(2v - 1) |2v - 1|^(2 / power) / 2 + 1 / 2. At 2 it is
    the image; the limit is black and white in each channel."""
    signed = 2 * (image / 255.0) - 1
    pushed = np.sign(signed) * np.abs(signed) ** (2.0 / power) / 2 + 0.5
    return np.rint(255 * pushed).astype(np.uint8)
