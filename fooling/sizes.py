"""The size of an image in pixels: one number for a square, (height, width) for any rectangle.

A square is always the one number, however it was written, so that a size has one form in manifests,
fingerprints and comparisons.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

LARGEST = 4096  # pixels of a side: what an encoding makes and a classifier may ask for

Size = int | tuple[int, int]


def sides(size: Size) -> tuple[int, int]:
    """Height and width."""
    return (size, size) if isinstance(size, int) else size


def size_of(sides: Sequence[int]) -> Size:
    """The size of images with this height and width."""
    height, width = sides
    return height if height == width else (height, width)


def to_text(size: Size) -> str:
    """Height and width: "28 x 28", "48 x 192"."""
    return " x ".join(map(str, sides(size)))


def read(value: Any) -> Size:
    """A size from data: a number, or a list of height and width.

    Raises:
        ValueError: anything else.
    """
    pair = list(value) if isinstance(value, list | tuple) else [value, value]
    if len(pair) != 2 or not all(type(side) is int and 1 <= side <= LARGEST for side in pair):
        raise ValueError(
            f"expected a side of 1 to {LARGEST} pixels, or [height, width] of such, found {value!r}"[:160]
        )
    return size_of(pair)
