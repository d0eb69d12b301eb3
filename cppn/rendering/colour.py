"""From the numbers that an encoding puts out to the 8-bit pixels that are classified (Nguyen 2015, section 2,
and the released code).

A number v counts as |v|, at most 1. The rest is a choice:

    quantisation   grey, rgb             hls, hsv
    "rounded"      floor(255 v + 1/2)    hue 0 to 1 is one turn; the channels are then quantised as rgb is
    "released"     floor(255 v)          bytes first, whose hue counts 2 degrees a unit, 0 to 510 degrees;
                                         then the channels, to the nearest byte, ties to even

Released hls is what OpenCV makes of such bytes: all 2^24 triples gave the bytes of OpenCV 4.14's
cvtColor(HLS2RGB). (Its HSV2RGB cuts fractions off where this rounds.) The conversions are OpenCV's formulas
(modules/imgproc, color_hsv), without branches.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cppn.arithmetic import clip
from cppn.jit import everywhere, kernel, readonly

COLOURS = ("grey", "hls", "hsv", "rgb")
QUANTISATIONS = ("rounded", "released")

AS_IS, HLS, HSV = range(3)
_ZERO, _HALF, _ONE, _TWO = np.float32(0), np.float32(0.5), np.float32(1), np.float32(2)
_THREE, _FOUR, _SIX, _FULL = np.float32(3), np.float32(4), np.float32(6), np.float32(255)
# Added and taken away again, it rounds a small float32 to an integer, ties to even.
_ROUNDER = np.float32(1.5 * 2**23)
_TILE = 1024


class Style(NamedTuple):
    """How numbers become bytes: a choice from the table above, as constants.

    Attributes:
        conversion: AS_IS, HLS or HSV.
        cut: whether numbers are cut to bytes before the conversion.
        hue: what the first number is multiplied by, for the conversion.
        unit: what the others are multiplied by.
        add: the byte of a channel c is int((255 c + add) - subtract).
        subtract: see `add`.
    """

    conversion: int
    cut: bool
    hue: np.float32
    unit: np.float32
    add: np.float32
    subtract: np.float32


def style_of(colour: str, quantisation: str) -> Style:
    """The constants of a choice.

    Raises:
        ValueError: a name is not in COLOURS or QUANTISATIONS.
    """
    if colour not in COLOURS:
        raise ValueError(f"expected a colour of {', '.join(COLOURS)}, found {colour!r}")
    if quantisation not in QUANTISATIONS:
        raise ValueError(f"expected a quantisation of {', '.join(QUANTISATIONS)}, found {quantisation!r}")
    released = quantisation == "released"
    if colour in ("grey", "rgb"):
        return Style(AS_IS, False, _ONE, _ONE, _ZERO if released else _HALF, _ZERO)
    conversion = HLS if colour == "hls" else HSV
    if released:
        return Style(conversion, True, _SIX / np.float32(180), _ONE / _FULL, _ROUNDER, _ROUNDER)
    return Style(conversion, False, _SIX, _ONE, _HALF, _ZERO)


def numbers_of(colour: str) -> int:
    """How many numbers a pixel of this colour is made of: 1 or 3."""
    return 1 if colour == "grey" else 3


def check_channels(colour: str, channels: int) -> None:
    """Raises ValueError unless images of this colour can have so many channels."""
    allowed = (1, 3) if colour == "grey" else (3,)
    if channels not in allowed:
        raise ValueError(
            f"expected {' or '.join(map(str, allowed))} channels for the colour {colour}, found {channels}"
        )


@everywhere
def fold(v: Any) -> Any:
    """|v|, at most 1; a NaN becomes 0."""
    return clip(np.abs(v), _ZERO, _ONE)


@everywhere
def cut(v: Any) -> Any:
    """255 v without its fraction, still float32."""
    return np.float32(np.int32(v * _FULL))


@everywhere
def _ramps(hue: Any) -> tuple[Any, Any, Any]:
    """How much red, green and blue a hue has, in [0, 1]; `hue` in sixths of a turn, [0, 12)."""
    hue = hue - _SIX * np.float32(hue >= _SIX)
    red = clip(np.abs(hue - _THREE) - _ONE, _ZERO, _ONE)
    green = clip(_TWO - np.abs(hue - _TWO), _ZERO, _ONE)
    blue = clip(_TWO - np.abs(hue - _FOUR), _ZERO, _ONE)
    return red, green, blue


@everywhere
def hls_to_rgb(hue: Any, lightness: Any, saturation: Any) -> tuple[Any, Any, Any]:
    """float32 channels in [0, 1], of `hue` in sixths of a turn, [0, 12), the others in [0, 1]."""
    red, green, blue = _ramps(hue)
    high = clip(lightness * (_ONE + saturation), _ZERO, lightness + saturation - lightness * saturation)
    low = _TWO * lightness - high
    span = high - low
    return low + span * red, low + span * green, low + span * blue


@everywhere
def hsv_to_rgb(hue: Any, saturation: Any, value: Any) -> tuple[Any, Any, Any]:
    """float32 channels in [0, 1], of `hue` in sixths of a turn, [0, 12), the others in [0, 1]."""
    red, green, blue = _ramps(hue)
    return (
        value * (_ONE - saturation * (_ONE - red)),
        value * (_ONE - saturation * (_ONE - green)),
        value * (_ONE - saturation * (_ONE - blue)),
    )


@everywhere
def to_byte(channel: Any, style: Style) -> Any:
    """A channel in [0, 1] as uint8."""
    return np.uint8(np.int32((channel * _FULL + style.add) - style.subtract))


@everywhere
def paint(
    style: Style,
    values: NDArray[np.float32],
    slots: NDArray[np.int64],
    count: int,
    channels: int,
    out: NDArray[np.uint8],
) -> None:
    """The pixels of the first `count` numbers in the rows `slots` of `values`, which are overwritten.

    Args:
        values: (rows, at least count) float32, a row for each number of a pixel.
        slots: (1,) or (3,) int64; of 1, three channels are alike.
        out: (at least count * channels,) uint8, a pixel's channels side by side.
    """
    for k in range(len(slots)):
        row, unit = values[slots[k]], style.hue if k == 0 else style.unit
        if style.cut:
            for i in range(count):
                row[i] = cut(fold(row[i])) * unit
        else:
            for i in range(count):
                row[i] = fold(row[i]) * unit
    first, last = values[slots[0]], values[slots[-1]]
    middle = values[slots[len(slots) // 2]]
    if style.conversion == HLS:
        for i in range(count):
            first[i], middle[i], last[i] = hls_to_rgb(first[i], middle[i], last[i])
    elif style.conversion == HSV:
        for i in range(count):
            first[i], middle[i], last[i] = hsv_to_rgb(first[i], middle[i], last[i])
    if channels == 1:
        for i in range(count):
            out[i] = to_byte(first[i], style)
    else:
        for i in range(count):
            out[3 * i] = to_byte(first[i], style)
            out[3 * i + 1] = to_byte(middle[i], style)
            out[3 * i + 2] = to_byte(last[i], style)


@kernel
def _paint_all(
    style: Style, numbers: int, values: NDArray[np.float32], channels: int, out: NDArray[np.uint8]
) -> None:
    """`paint` of values that have a pixel's numbers side by side."""
    pixels = len(values) // numbers
    rows, slots = np.empty((3, _TILE), np.float32), np.arange(numbers)
    for start in range(0, pixels, _TILE):
        count = min(_TILE, pixels - start)
        tile = values[start * numbers :]
        if numbers == 1:
            for i in range(count):
                rows[0, i] = tile[i]
        else:
            for i in range(count):
                rows[0, i], rows[1, i], rows[2, i] = tile[3 * i], tile[3 * i + 1], tile[3 * i + 2]
        paint(style, rows, slots, count, channels, out[start * channels :])


def to_bytes(values: NDArray[np.float32], colour: str, quantisation: str, channels: int) -> NDArray[np.uint8]:
    """Pixels of numbers that need no network: the genes of the direct encoding.

    Args:
        values: (n, height, width, C) float32; C is 1 for "grey" and else 3, in the order of the colour's name.
        colour: one of COLOURS.
        quantisation: one of QUANTISATIONS.
        channels: 1, or 3: for "grey", three that are alike.

    Returns:
        (n, height, width, channels) uint8; red, green, blue.

    Raises:
        ValueError: an unknown name, or numbers of values and channels that don't go with the colour.
    """
    style, numbers = style_of(colour, quantisation), numbers_of(colour)
    check_channels(colour, channels)
    if values.ndim != 4 or values.shape[3] != numbers or values.dtype != np.float32:
        raise ValueError(
            f"expected float32 values of shape (n, height, width, {numbers}) for {colour}, "
            f"found {values.dtype} of shape {values.shape}"
        )
    out = np.empty((*values.shape[:3], channels), np.uint8)
    _paint_all(style, numbers, readonly(np.ascontiguousarray(values).ravel()), channels, out.ravel())
    return out
