"""How long until classes are fooled. A failure flatters a classifier: classes that were not reached would be dropped."""

from __future__ import annotations

import numpy as np
import pytest

from fooling.studies.audit.survival import Waits, joined, over_runs


def waits(*times: float, until: float = 10.0) -> Waits:
    """Times; those at the end are censored."""
    values = np.array(times)
    return Waits(values, values < until)


def test_without_censoring_it_is_the_share_that_was_reached() -> None:
    times, shares = waits(1, 3, 3, 7).curve()
    assert times.tolist() == [1, 3, 7]
    assert shares.tolist() == [0.25, 0.75, 1.0]


def test_what_was_not_reached_counts() -> None:
    found = waits(1, 2, 10, 10)
    assert found.until(0.5) == 2
    assert found.until(0.9) is None
    assert waits(10, 10).until(0.5) is None


def test_shorter_searches_are_not_failures() -> None:
    """Two runs of different lengths: by hand, S = 3/4 after 2, then 1/2 of the two left after 5 (Kaplan & Meier)."""
    both = joined(
        [
            Waits(np.array([2.0, 3.0]), np.array([True, False])),
            Waits(np.array([5.0, 9.0]), np.array([True, False])),
        ]
    )
    times, shares = both.curve()
    assert times.tolist() == [2, 5]
    assert shares.tolist() == pytest.approx([1 / 4, 1 - 3 / 4 * 1 / 2])


def test_intervals_come_from_runs() -> None:
    runs = [waits(1, 1, 1), waits(9, 9, 9), waits(1, 9, 9)]
    low, high = over_runs(runs, lambda found: found.until(0.5), np.random.default_rng(0), 200) or (0, 0)
    assert (low, high) == (1, 9)
    unreached = [waits(1), waits(10), waits(10)]
    assert over_runs(unreached, lambda found: found.until(0.5), np.random.default_rng(0), 200) is None
    assert over_runs(runs[:1], lambda found: found.until(0.5), np.random.default_rng(0), 200) is None
