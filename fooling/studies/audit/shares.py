"""Shares of images, with intervals that know of runs: the images of one run are siblings, not independent draws."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fooling.studies.intervals import wilson
from fooling.studies.protocol import Interval
from fooling.validation import Data


class Share(Data):
    """A share.

    Attributes:
        value: None where nothing was counted.
        count: of what it is a share.
        ci95: from a bootstrap over runs; with fewer than two runs, Wilson's (1927), as if all were independent.
    """

    value: float | None
    count: int
    ci95: Interval | None = None


def share_of(
    hits: Sequence[int], counts: Sequence[int], random: np.random.Generator, resamples: int
) -> Share:
    """The share of hits among all that was counted.

    Args:
        hits, counts: of each run.
    """
    one, all_ = int(np.sum(hits)), int(np.sum(counts))
    if not all_:
        return Share(value=None, count=0)
    runs = len(counts)
    if runs < 2:
        return Share(value=one / all_, count=all_, ci95=wilson(one, all_))
    draws = random.integers(0, runs, (resamples, runs))
    sums = np.asarray(counts, np.int64)[draws].sum(axis=1)
    found = np.asarray(hits, np.int64)[draws].sum(axis=1)[sums > 0] / sums[sums > 0]
    low, high = np.quantile(found, [0.025, 0.975])
    return Share(value=one / all_, count=all_, ci95=(float(low), float(high)))
