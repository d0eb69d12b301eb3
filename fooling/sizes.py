"""The size of an image in pixels, and its colour.

A size is one number for a square, and (height, width) for any other rectangle. A square is always the one
number, however it was written, so that a size has one form in manifests, fingerprints and comparisons.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

LARGEST = 4096  # the most pixels of a side that an encoding makes or a classifier may ask for

Size = int | tuple[int, int]


def channels_of(colour: str) -> Literal[1, 3]:
    """How many channels images of this colour have: 1 for "grey", 3 for any other."""
    return 1 if colour == "grey" else 3


def colour_of(channels: int) -> Literal["grey", "rgb"]:
    """The colour of images with so many channels: "grey" for 1, else "rgb"."""
    return "grey" if channels == 1 else "rgb"


def sides(size: Size) -> tuple[int, int]:
    """(height, width) of a size."""
    return (size, size) if isinstance(size, int) else size


def size_of(sides: Sequence[int]) -> Size:
    """The size of images with this height and width."""
    height, width = sides
    return height if height == width else (height, width)


def to_text(size: Size) -> str:
    """A size in words, height first: "28 x 28", "48 x 192"."""
    return " x ".join(map(str, sides(size)))


def read(value: Any) -> Size:
    """A size from data: an integer, or a list of height and width.

    Raises:
        ValueError: the value is anything else, or a side is not in 1 to LARGEST.
    """
    pair = list(value) if isinstance(value, list | tuple) else [value, value]
    if len(pair) != 2 or not all(type(side) is int and 1 <= side <= LARGEST for side in pair):
        raise ValueError(
            f"expected a side of 1 to {LARGEST} pixels, or [height, width] of such, found {value!r}"[:160]
        )
    return size_of(pair)
