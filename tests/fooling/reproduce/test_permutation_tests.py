"""The sign test and the permutation test, held against published data and counting. A failure costs the verdicts that
rest on them."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

from fooling.reproduce.permutation_tests import permutation_test, sign_test

# Darwin's crossed and self-fertilised maize, in eighths of an inch (Fisher 1935, "The Design of Experiments").
MAIZE = np.array([49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48], float)


def test_sign_test_on_darwin_s_maize() -> None:
    """13 of 15: 2 (1 + 15 + 105) of the 2^15 patterns of signs are as lopsided."""
    found = sign_test(MAIZE)
    assert (found.above, found.n) == (13, 15)
    assert found.p == pytest.approx(242 / 2**15)


def test_what_does_not_differ_says_nothing() -> None:
    """Counted in, equal confidences of 1 would make any drop look like luck."""
    found = sign_test(np.array([1.0, 2.0, 0.0, np.nan, 0.0, 3.0]))
    assert (found.above, found.n, found.p) == (3, 3, 0.25)
    nothing = sign_test(np.zeros(4))
    assert (nothing.n, nothing.p) == (0, None)
    assert "n = 0" in nothing.in_words()


VALUES = np.array([1.0, 4.0, 2.0, 8.0, 5.0, 7.0])


def _difference(order: np.ndarray) -> float:
    return float(VALUES[order[3:]].mean() - VALUES[order[:3]].mean())


def test_permutation_test_comes_near_to_all_arrangements() -> None:
    counted = [_difference(np.array(order)) for order in permutations(range(6))]
    exact = np.mean(np.array(counted) >= _difference(np.arange(6)) - 1e-12)

    def dealt(generator: np.random.Generator | None) -> float:
        return _difference(np.arange(6) if generator is None else generator.permutation(6))

    found = permutation_test(dealt, 6, permutations=4000)
    assert found.p == pytest.approx(exact, abs=4 * np.sqrt(exact * (1 - exact) / 4000))
    assert found.expected == pytest.approx(0.0, abs=0.1)
    assert found == permutation_test(dealt, 6, permutations=4000), "the same question has the same answer"


def test_a_permutation_test_never_says_impossible() -> None:
    found = permutation_test(lambda generator: 1.0 if generator is None else 0.0, 50)
    assert found.p == 1 / 1000
    assert "n = 50" in found.in_words()


def test_deals_that_equal_what_was_observed_count_as_high() -> None:
    """Sums in another order differ in their last bits; counted as lower they would make p too small."""
    found = permutation_test(lambda generator: 0.3 if generator is None else 0.1 + 0.2 - 1e-16, 9)
    assert found.p == 1.0
