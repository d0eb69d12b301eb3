"""How a confidence is put into words and sorted into bands: the one place that decides.

Softmax saturates, so the interesting part of a confidence is how far it is from 1 (Nguyen, Yosinski &
Clune 2015 report medians of 99.99 %). Nothing here rounds up: a reader who sees "99.99 %" may rely on it,
and only a confidence of exactly 1 is shown as "100 %". The gallery's script mirrors `format_confidence`
(`templates/format.js`); a test holds the two together.
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

# Half of what float32 can still tell from 1: a confidence of exactly 1 counts as that far from it.
LEAST_DISTANCE = 2.0**-25
MOST_NINES = -math.log10(LEAST_DISTANCE)

# From here up, digits after the nines say more as the distance from 1 than as a percentage.
_NEAR_ONE = 0.999999
# (lowest confidence, decimals of the percentage), the first that fits is taken.
_DECIMALS = ((0.9999, 4), (0.99, 2), (0.001, 1))


def shortest(confidence: float) -> float:
    """The number with the fewest decimal digits that is this float32 (0.9999, not 0.9998999834).

    A value that is no float32, such as a mean of several, is returned as it is.
    """
    single = np.float32(confidence)
    return float(str(single)) if single == np.float64(confidence) else float(confidence)


def format_confidence(confidence: float) -> str:
    """A confidence in at most 10 characters, never rounded up: "87.3 %", "99.99 %", "1 - 6e-8", "100 %".

    NaN, for a class without an elite, gives an en dash.
    """
    p = shortest(confidence)
    if math.isnan(p):
        return "–"
    if p in (0.0, 1.0):
        return f"{p:.0%}".replace("%", " %")
    if p >= _NEAR_ONE:
        return f"1 - {scientific(1.0 - p, 0)}"
    for low, decimals in _DECIMALS:
        if p >= low:
            units = math.floor(p * 10 ** (decimals + 2) + 1e-6)  # the margin undoes binary fractions
            return f"{units / 10**decimals:.{decimals}f} %"
    return scientific(p, 0)


def scientific(value: float, decimals: int = 2) -> str:
    """Like "5.96e-8": scientific form without the exponent's padding."""
    mantissa, exponent = f"{value:.{decimals}e}".split("e")
    return f"{mantissa}e{int(exponent)}"


def log_distance(confidence: Any) -> NDArray[np.float64]:
    """The number of nines of a confidence: -log10 of its distance from 1, which is where confidences differ. NaN stays."""
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
