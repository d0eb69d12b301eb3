"""How a confidence is written and sorted into bands, everywhere.

Softmax saturates, so the interesting part of a confidence is its distance from 1 (Nguyen, Yosinski & Clune
2015 report medians of 99.99 %). Nothing is rounded up: a reader who sees "99.99 %" may rely on it, and only a
confidence of exactly 1 is shown as "100 %". The script of the gallery has the same function
(`fooling/present/web/format.js`); a test compares the two.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Band:
    """Confidences from `low` (included) to the `low` of the band before."""

    name: str
    low: float


BANDS = (
    Band("99.99 % and up", 0.9999),
    Band("99 to 99.99 %", 0.99),
    Band("90 to 99 %", 0.9),
    Band("50 to 90 %", 0.5),
    Band("below 50 %", 0.0),
)
VACANT = "no elite yet"

# Half of the distance between 1 and the float32 number below it: a confidence of exactly 1 counts as so far
# from 1.
LEAST_DISTANCE = 2.0**-25
MOST_NINES = -math.log10(LEAST_DISTANCE)

# From this confidence on, the distance from 1 is written instead of a percentage.
_NEAR_ONE = 0.999999
# Pairs of a lowest confidence and the decimals of the percentage from there on; the first pair that fits is
# used.
_DECIMALS = ((0.9999, 4), (0.99, 2), (0.001, 1))


def shortest(confidence: float) -> float:
    """The number with the fewest decimal digits that rounds to this float32: 0.9999 instead of 0.9998999834.

    A value that is not a float32, such as a mean of several confidences, is returned unchanged.
    """
    single = np.float32(confidence)
    return float(str(single)) if single == np.float64(confidence) else float(confidence)


def format_confidence(confidence: float) -> str:
    """A confidence in at most 10 characters, never rounded up: "87.3 %", "99.99 %", "1 - 6e-8", "100 %"; an
    en dash for NaN, which stands for a class without an elite."""
    p = shortest(confidence)
    if math.isnan(p):
        return "–"
    if p in (0.0, 1.0):
        return f"{p:.0%}".replace("%", " %")
    if p >= _NEAR_ONE:
        return f"1 - {scientific(1.0 - p, 0)}"
    for low, decimals in _DECIMALS:
        if p >= low:
            units = math.floor(p * 10 ** (decimals + 2) + 1e-6)  # the margin makes up for binary fractions
            return f"{units / 10**decimals:.{decimals}f} %"
    return scientific(p, 0)


def scientific(value: float, decimals: int = 2) -> str:
    """The value in scientific form without a padded exponent, like "5.96e-8"."""
    mantissa, exponent = f"{value:.{decimals}e}".split("e")
    return f"{mantissa}e{int(exponent)}"


def log_distance(confidence: Any) -> NDArray[np.float64]:
    """The number of nines of each confidence: -log10 of its distance from 1, at most MOST_NINES; NaN stays
    NaN."""
    distance = np.maximum(1.0 - np.asarray(confidence, np.float64), LEAST_DISTANCE)
    return -np.log10(distance)


def band_of(confidence: NDArray[np.float32]) -> NDArray[np.int64]:
    """The band of each confidence.

    Args:
        confidence: (K,) float32 in [0, 1], NaN where a class has no elite.

    Returns:
        (K,) int64: a row of `BANDS`, or len(BANDS) for NaN.
    """
    lows = np.array([band.low for band in BANDS], np.float32)
    bands = (confidence[:, None] < lows).sum(axis=1)
    return np.where(np.isnan(confidence), len(BANDS), bands)
