"""The Weibull distribution, and its two parameters fitted by maximum likelihood."""

from __future__ import annotations

import numpy as np
from scipy.optimize import brentq

from fooling.studies.audit.detectors.protocol import F64


def fitted(values: F64) -> tuple[float, float]:
    """Scale and shape of the greatest likelihood, for (n,) positive values of which two differ.

    The shape k solves sum(x^k log x) / sum(x^k) - 1/k = mean(log x), whose left side rises; the scale is
    mean(x^k)^(1/k).
    """
    top = values.max()
    logs = np.log(values / top)  # at most 0, so that no power overflows

    def slope(shape: float) -> float:
        powers = np.exp(shape * logs)
        return float((powers * logs).sum() / powers.sum() - 1.0 / shape - logs.mean())

    high = 1.0
    while slope(high) < 0:
        high *= 2.0
    shape = float(brentq(slope, 1e-6, high, xtol=1e-12, rtol=1e-14))
    return float(top * np.mean(np.exp(shape * logs)) ** (1.0 / shape)), shape


def cumulative(values: F64, scale: float, shape: float) -> F64:
    """The chance of a value that is not larger; it rises with the value."""
    return np.asarray(-np.expm1(-((np.maximum(values, 0.0) / scale) ** shape)))
