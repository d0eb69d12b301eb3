"""95 % intervals: Wilson's of a share, the bootstrap's of anything else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

LEVEL = 0.95
RESAMPLES = 2000


def wilson(hits: int, count: int) -> tuple[float, float] | None:
    """The interval of the share of hits (Wilson 1927); None where nothing was counted."""
    from scipy.stats import binomtest

    if not count:
        return None
    found = binomtest(hits, count).proportion_ci(LEVEL, method="wilson")
    return float(found.low), float(found.high)


def bootstrap(values: NDArray[Any], statistic: Callable[..., Any]) -> tuple[float, float] | None:
    """The interval of a statistic of (n,) values, from the percentiles of resamples (Efron 1979). The same values give
    the same interval.

    Args:
        statistic: takes an array and an `axis`.

    Returns:
        The interval; None where there are fewer than two values.
    """
    if len(values) < 2:
        return None
    draws = np.random.Generator(np.random.Philox(key=0)).integers(0, len(values), (RESAMPLES, len(values)))
    resampled = statistic(np.asarray(values, np.float64)[draws], axis=1)
    low, high = np.quantile(resampled, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)
