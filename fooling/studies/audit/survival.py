"""How long until something happens, where for some it had not happened when the budget ended (Kaplan & Meier 1958)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fooling.store.snapshot import Snapshot


@dataclass(frozen=True)
class Waits:
    """What was waited for.

    Attributes:
        times: (n,) float64, when it happened, or when the waiting ended.
        happened: (n,) bool; where it did not, it may happen later: the time is a lower bound.
    """

    times: NDArray[np.float64]
    happened: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.times)

    def take(self, rows: NDArray[np.int64]) -> Waits:
        """Some of them."""
        return Waits(self.times[rows], self.happened[rows])

    def curve(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The times at which something happened, ascending, and the share for which it had happened by then: a step
        function, 0 before the first time."""
        from scipy.stats import CensoredData, ecdf

        if not len(self):
            return np.zeros(0), np.zeros(0)
        data = CensoredData(uncensored=self.times[self.happened], right=self.times[~self.happened])
        found = ecdf(data).cdf
        steps = np.diff(found.probabilities, prepend=0.0) > 0
        return found.quantiles[steps].astype(np.float64), found.probabilities[steps].astype(np.float64)

    def until(self, share: float) -> float | None:
        """When it had happened for that share; None where the waiting ended before."""
        times, shares = self.curve()
        reached = np.flatnonzero(shares >= share - 1e-12)
        return float(times[reached[0]]) if len(reached) else None


def joined(parts: Sequence[Waits]) -> Waits:
    """Those of several, one after the other."""
    return Waits(
        np.concatenate([part.times for part in parts]), np.concatenate([part.happened for part in parts])
    )


def waits_of(run: Snapshot, level: float, classes: NDArray[np.int64], unit: str) -> Waits:
    """When the classes of a run had an elite of a confidence of at least `level`, by its log: at the end of the
    generation in which it was found.

    Args:
        unit: "evaluations" or "seconds".
    """
    first = dict.fromkeys(classes.tolist(), np.nan)
    for record in run.curve:
        for number, confidence in record.get("gains", ()):
            if number in first and np.isnan(first[number]) and np.float32(confidence) >= np.float32(level):
                first[number] = float(record[unit])
    times = np.array([first[number] for number in classes.tolist()])
    end = float(run.curve[-1][unit]) if run.curve else 0.0
    return Waits(np.where(np.isnan(times), end, times), ~np.isnan(times))


def over_runs(
    parts: Sequence[Waits],
    statistic: Callable[[Waits], float | None],
    random: np.random.Generator,
    resamples: int,
) -> tuple[float, float] | None:
    """A 95 % interval by resampling runs, whose classes are not independent of each other (Efron 1979).

    Returns:
        None where there are fewer than two runs, or where more than one resample in forty has no such number.
    """
    if len(parts) < 2:
        return None
    draws = random.integers(0, len(parts), (resamples, len(parts)))
    found = [statistic(joined([parts[row] for row in draw])) for draw in draws]
    values = np.array([np.inf if value is None else value for value in found])
    low, high = np.quantile(values, [0.025, 0.975], method="inverted_cdf")
    return (float(low), float(high)) if np.isfinite(high) else None
