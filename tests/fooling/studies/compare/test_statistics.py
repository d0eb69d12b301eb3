"""Rank tests, held against published data and against counting. A failure costs every conclusion drawn from them."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from fooling.confidence import LEAST_DISTANCE, log_distance
from fooling.studies.rank_tests import mann_whitney, wilcoxon

# Darwin's crossed and self-fertilised maize, in eighths of an inch (Fisher 1935, "The Design of Experiments").
MAIZE = np.array([49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48], float)


def test_one_pair_says_nothing() -> None:
    """A comparison of runs with one class in common would end in a traceback."""
    found = wilcoxon(np.array([0.9]), np.array([0.2]))
    assert (found.p, found.n, found.better) == (None, (1, 1), 1.0)


def test_wilcoxon_on_darwin_s_maize() -> None:
    found = wilcoxon(MAIZE, np.zeros(15))
    assert found.statistic == 24
    assert found.p == pytest.approx(0.041259765625, abs=1e-12)
    assert found.n == (15, 15)
    assert found.better == pytest.approx(13 / 15)


def test_five_runs_that_all_beat_five_others() -> None:
    """2 of the 252 ways to part ten values are as extreme."""
    found = mann_whitney(np.arange(5.0) + 10, np.arange(5.0))
    assert (found.statistic, found.n, found.better) == (25, (5, 5), 1.0)
    assert found.p == pytest.approx(2 / 252)


values = st.lists(st.integers(0, 4).map(float), min_size=2, max_size=5)


@given(values, values)
@settings(max_examples=60)
def test_mann_whitney_counts_all_arrangements_with_ties_too(a: list[float], b: list[float]) -> None:
    """Confidences of exactly 1 are common. The normal approximation would make three runs significant."""

    def u(first: list[float], second: list[float]) -> float:
        return sum((x > y) + 0.5 * (x == y) for x in first for y in second)

    pooled, middle = a + b, len(a) * len(b) / 2
    found = mann_whitney(np.array(a), np.array(b))
    assert found.statistic == u(a, b)
    assert found.better == pytest.approx(u(a, b) / (len(a) * len(b)))
    arrangements = []
    for rows in combinations(range(len(pooled)), len(a)):
        rest = [pooled[i] for i in range(len(pooled)) if i not in rows]
        arrangements.append(u([pooled[i] for i in rows], rest))
    low = np.mean([value <= u(a, b) for value in arrangements])
    high = np.mean([value >= u(a, b) for value in arrangements])
    assert found.p == pytest.approx(min(1.0, 2 * min(low, high)))
    assert middle == pytest.approx(np.mean(arrangements))


def test_large_samples_are_scipy_s() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.random(40), rng.random(60) + 0.2
    assert mann_whitney(a, b).p == pytest.approx(stats.mannwhitneyu(a, b, method="asymptotic").pvalue)
    assert wilcoxon(a, b[:40]).p == pytest.approx(stats.wilcoxon(a, b[:40], method="exact").pvalue)


def test_pairs_without_a_difference_or_a_value_are_not_counted() -> None:
    """A failure costs the n that a p-value rests on."""
    a, b = np.array([1, 2, 3, np.nan, 5, 6.0]), np.array([1, 1, 1, 1, np.nan, 1.0])
    found = wilcoxon(a, b)
    assert found.n == (3, 3)
    assert found.p == pytest.approx(0.25)
    assert found.better == pytest.approx(3.5 / 4)


@pytest.mark.parametrize("found", [wilcoxon(np.ones(3), np.ones(3)), mann_whitney(np.ones(1), np.ones(3))])
def test_where_there_is_nothing_to_test_there_is_no_p(found: object) -> None:
    assert found.p is None  # type: ignore[attr-defined]
    assert found.statistic is None  # type: ignore[attr-defined]


def test_nines() -> None:
    """Confidences of 1 are as far as float32 sees, and not infinitely far; they are above all others."""
    below = np.nextafter(np.float32(1), np.float32(0))
    found = log_distance(np.array([0, 0.9, 0.999, below, 1, np.nan]))
    assert found[:3] == pytest.approx([0, 1, 3])
    assert found[3] < found[4] == pytest.approx(-np.log10(LEAST_DISTANCE))
    assert np.isnan(found[5])
