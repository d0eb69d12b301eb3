"""The intervals, held against other implementations. A failure costs what the tables say of their own noise."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fooling.studies.intervals import bootstrap, wilson


def test_wilson_is_that_of_the_textbook() -> None:
    """8 of 10: Wilson 1927 by hand."""
    n, p, z = 10, 0.8, 1.959963984540054
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * np.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    assert wilson(8, 10) == pytest.approx((centre - half, centre + half), abs=1e-12)


@given(st.integers(1, 2000), st.floats(0, 1))
def test_wilson_holds_the_share_and_stays_in_0_to_1(count: int, share: float) -> None:
    hits = round(share * count)
    found = wilson(hits, count)
    assert found is not None
    assert 0 <= found[0] <= hits / count <= found[1] <= 1


def test_of_nothing_nothing_is_said() -> None:
    assert wilson(0, 0) is None
    assert bootstrap(np.array([0.5]), np.mean) is None


def test_the_bootstrap_is_about_scipy_s_and_repeats() -> None:
    from scipy import stats

    values = np.random.default_rng(3).beta(2, 1, 80)
    theirs = stats.bootstrap((values,), np.mean, method="percentile", rng=np.random.default_rng(0))
    found = bootstrap(values, np.mean)
    assert found == pytest.approx(tuple(theirs.confidence_interval), abs=0.01)
    assert found == bootstrap(values, np.mean)
