"""From the numbers that an encoding puts out to the 8-bit pixels that are classified (Nguyen 2015, section 2,
and the released code).

A number v counts as |v|, at most 1. The colour and the quantisation decide the rest:

    quantisation   grey, rgb             hls, hsv
    "rounded"      floor(255 v + 1/2)    hue 0 to 1 is one turn; the channels are then quantised as rgb is
    "released"     floor(255 v)          bytes first, whose hue counts 2 degrees a unit, 0 to 510 degrees;
                                         then the channels, to the nearest byte, ties to even

The conversions are OpenCV's formulas (modules/imgproc, color_hsv), without branches. With "released" and hls,
all 2^24 triples of bytes gave the bytes of OpenCV 4.14's cvtColor(HLS2RGB). OpenCV's HSV2RGB cuts fractions
off where this code rounds.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cppn.arithmetic import ROUNDER, clip
from cppn.jit import jitable, kernel, readonly

COLOURS = ("grey", "hls", "hsv", "rgb")
QUANTISATIONS = ("rounded", "released")

AS_IS, HLS, HSV = range(3)
_ZERO, _HALF, _ONE, _TWO = np.float32(0), np.float32(0.5), np.float32(1), np.float32(2)
_THREE, _FOUR, _SIX, _FULL = np.float32(3), np.float32(4), np.float32(6), np.float32(255)
_TILE = 1024  # pixels


class Style(NamedTuple):
    """How numbers become bytes: one case of the table above, as constants.

    Attributes:
        conversion: AS_IS, HLS or HSV.
        cut: whether numbers are cut to bytes before the conversion.
        hue: the factor of the first number, before the conversion.
        unit: the factor of the other numbers, before the conversion.
        add, subtract: the byte of a channel c in [0, 1] is int((255 c + add) - subtract).
    """

    conversion: int
    cut: bool
    hue: np.float32
    unit: np.float32
    add: np.float32
    subtract: np.float32


def style_of(colour: str, quantisation: str) -> Style:
    """The constants for a colour and a quantisation.

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
        return Style(conversion, True, _SIX / np.float32(180), _ONE / _FULL, ROUNDER, ROUNDER)
    return Style(conversion, False, _SIX, _ONE, _HALF, _ZERO)


def numbers_of(colour: str) -> int:
    """How many numbers an encoding gives for each pixel: 1 for "grey", else 3."""
    return 1 if colour == "grey" else 3


def check_channels(colour: str, channels: int) -> None:
    """Refuse a number of channels that images of this colour can't have.

    Raises:
        ValueError: the channels are not 3, nor 1 where the colour is "grey".
    """
    allowed = (1, 3) if colour == "grey" else (3,)
    if channels not in allowed:
        raise ValueError(
            f"expected {' or '.join(map(str, allowed))} channels for the colour {colour}, found {channels}"
        )


@jitable
def fold(v: Any) -> Any:
    """|v|, at most 1; a NaN becomes 0."""
    return clip(np.abs(v), _ZERO, _ONE)


@jitable
def cut(v: Any) -> Any:
    """255 v without its fraction, as float32."""
    return np.float32(np.int32(v * _FULL))


@jitable
def _ramps(hue: Any) -> tuple[Any, Any, Any]:
    """The shares of red, green and blue in a hue, each in [0, 1]; `hue` is in sixths of a turn, in [0,
    12)."""
    hue = hue - _SIX * np.float32(hue >= _SIX)
    red = clip(np.abs(hue - _THREE) - _ONE, _ZERO, _ONE)
    green = clip(_TWO - np.abs(hue - _TWO), _ZERO, _ONE)
    blue = clip(_TWO - np.abs(hue - _FOUR), _ZERO, _ONE)
    return red, green, blue


@jitable
def hls_to_rgb(hue: Any, lightness: Any, saturation: Any) -> tuple[Any, Any, Any]:
    """Red, green and blue in [0, 1], float32. `hue` is in sixths of a turn, in [0, 12); the others are in [0,
    1]."""
    red, green, blue = _ramps(hue)
    high = clip(lightness * (_ONE + saturation), _ZERO, lightness + saturation - lightness * saturation)
    low = _TWO * lightness - high
    span = high - low
    return low + span * red, low + span * green, low + span * blue


@jitable
def hsv_to_rgb(hue: Any, saturation: Any, value: Any) -> tuple[Any, Any, Any]:
    """Red, green and blue in [0, 1], float32. `hue` is in sixths of a turn, in [0, 12); the others are in [0,
    1]."""
    red, green, blue = _ramps(hue)
    return (
        value * (_ONE - saturation * (_ONE - red)),
        value * (_ONE - saturation * (_ONE - green)),
        value * (_ONE - saturation * (_ONE - blue)),
    )


@jitable
def to_byte(channel: Any, style: Style) -> Any:
    """A channel in [0, 1] as uint8."""
    return np.uint8(np.int32((channel * _FULL + style.add) - style.subtract))


@jitable
def paint(
    style: Style,
    values: NDArray[np.float32],
    slots: NDArray[np.int64],
    count: int,
    channels: int,
    out: NDArray[np.uint8],
) -> None:
    """Turn the numbers of the first `count` pixels into bytes.

    Args:
        values: (rows, at least count) float32; the rows in `slots` hold the numbers of the pixels, and are
            overwritten.
        slots: (1,) or (3,) int64, the row of each number of a pixel. With one number and 3 channels, the
            channels are equal.
        channels: 1 or 3.
        out: (at least count * channels,) uint8, the channels of a pixel side by side.
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
    """`paint` for values in which the numbers of a pixel stand side by side.

    Args:
        numbers: how many numbers a pixel has, 1 or 3.
        values: (pixels * numbers,) float32.
        out: (pixels * channels,) uint8.
    """
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
    """Images from the numbers of their pixels, such as the genes of the direct encoding.

    Args:
        values: (n, height, width, C) float32; C is 1 for "grey", else 3, in the order of the colour's name.
        colour: one of COLOURS.
        quantisation: one of QUANTISATIONS.
        channels: 1 or 3; "grey" with 3 gives three equal channels.

    Returns:
        (n, height, width, channels) uint8: grey; or red, green and blue.

    Raises:
        ValueError: an unknown name, or values or channels that do not go with the colour.
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
