"""Metrics of scores: public tables were wrong in each of the ways that are tested here, and nobody saw it for a year. A
failure costs every number of an audit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fooling.studies.audit.metrics import (
    ScoreError,
    auroc,
    detected,
    false_alarms,
    missed,
    over_groups,
    placements,
    threshold_of,
)

_SCORES = st.lists(st.integers(-3, 3).map(float), min_size=1, max_size=12)


@given(_SCORES, _SCORES)
def test_the_auroc_is_the_share_of_pairs_in_order_with_ties_a_half(
    real: list[float], others: list[float]
) -> None:
    pairs = [(a > b) + 0.5 * (a == b) for a in real for b in others]
    assert auroc(np.array(real), np.array(others)) == pytest.approx(np.mean(pairs), abs=1e-12)


def test_both_directions_of_fpr95_are_those_of_the_vector() -> None:
    """A failure costs the comparison with any published table: the two differ by 30 points here."""
    known, unknown = -np.arange(30.0), np.negative(np.arange(10.5, 30.0))  # of which higher was an outlier
    assert false_alarms(known, unknown) == 18 / 30
    assert false_alarms(known, unknown, caught=1.0) == 19 / 30
    assert missed(known, unknown) == 18 / 20
    assert auroc(known, unknown) == pytest.approx(0.68333, abs=5e-6)


@pytest.mark.parametrize("equal", [[1.0, 1.0], [0.0, -0.0], [np.inf, np.inf], [-np.inf, -np.inf]])
def test_equal_scores_say_nothing(equal: list[float]) -> None:
    assert auroc(np.array(equal[:1] * 3), np.array(equal[1:] * 2)) == 0.5


@pytest.mark.parametrize(
    ("real", "others"), [([np.nan, 1.0], [0.0]), ([1.0], [np.nan]), ([], [1.0]), ([1.0], [])]
)
def test_what_is_no_score_is_an_error(real: list[float], others: list[float]) -> None:
    """A failure lets a network that puts out NaN pass as perfect."""
    for measure in (auroc, false_alarms, missed):
        with pytest.raises(ScoreError, match=r"found NaN for 1|found an array of shape \(0,\)"):
            measure(np.array(real), np.array(others))


def test_scale_and_shape_of_scores_change_nothing() -> None:
    """A library put a sigmoid before its AUROC where scores left [0, 1]: .5 for .8."""
    random = np.random.default_rng(0)
    real, others = random.integers(-9, 10, (2, 300)).astype(np.float64)
    expected = auroc(real, others), false_alarms(real, others), missed(real, others)
    for change in (lambda x: x * 1000 + 1e6, lambda x: x**3, np.exp):
        moved = change(real), change(others)
        assert (auroc(*moved), false_alarms(*moved), missed(*moved)) == expected


def test_counts_beyond_float32_are_exact() -> None:
    """2^24 + 2001 real images, of which float32 loses some."""
    real = np.zeros(2**24 + 2001)
    real[0] = 2.0
    assert 1 - auroc(real, np.ones(2001)) == pytest.approx(1 - 1 / len(real), abs=1e-12)


def test_a_threshold_rejects_the_share_that_it_should() -> None:
    scores = np.random.default_rng(0).permutation(1000).astype(np.float64)
    threshold = threshold_of(scores)
    assert detected(scores, threshold) == 0.05
    assert (
        detected(np.array([threshold, threshold - 1]), threshold) == 0.5
    )  # what scores the threshold passes


def test_runs_are_resampled_and_not_their_images() -> None:
    """A failure costs the intervals: ten siblings would count as ten observations."""
    groups = [np.full(50, value) for value in (0.0, 0.0, 1.0, 1.0)]
    low, high = over_groups(groups, np.random.default_rng(0), 500) or (0.5, 0.5)
    assert high - low > 0.6
    assert over_groups(groups[:1], np.random.default_rng(0), 500) is None
    assert placements(np.array([0.0, 1.0, 2.0]), np.array([1.0])).tolist() == [0.5]
