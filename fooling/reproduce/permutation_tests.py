"""Tests that need no distribution: the sign of differences, and permuted labels.

Like those of `fooling.studies.rank_tests`, each carries the number of values that it rests on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fooling.studies.rank_tests import format_p

PERMUTATIONS = 999  # so the least p is 0.001


@dataclass(frozen=True)
class SignTest:
    """Whether differences are as often above 0 as below (Arbuthnott 1710).

    Attributes:
        above: differences above 0.
        n: differences that are not 0.
        p: two-sided, exact; None where all are 0.
    """

    above: int
    n: int
    p: float | None

    def in_words(self) -> str:
        """A sentence's end; never a p-value without its n."""
        return f"{self.above} of {self.n}, sign test p = {format_p(self.p)}, n = {self.n}"


def sign_test(differences: NDArray[Any]) -> SignTest:
    """The test of (n,) differences; those of 0 are left out, as are NaN."""
    from scipy.stats import binomtest

    above, n = int((differences > 0).sum()), int((differences > 0).sum() + (differences < 0).sum())
    return SignTest(above, n, float(binomtest(above, n).pvalue) if n else None)


@dataclass(frozen=True)
class PermutationTest:
    """Whether a statistic is higher than permuted labels make it (Fisher 1935; Phipson & Smyth 2010: what was observed
    counts as one of the permutations, so that p is never 0).

    Attributes:
        observed: the statistic.
        expected: its mean over the permutations.
        n: values that the labels are of.
        p: one-sided: the share of permutations that are as high.
    """

    observed: float
    expected: float
    n: int
    p: float

    def in_words(self) -> str:
        """A sentence's end; never a p-value without its n."""
        return f"permutation test p = {format_p(self.p)}, n = {self.n}"


def permutation_test(
    statistic: Callable[[np.random.Generator | None], float], n: int, permutations: int = PERMUTATIONS
) -> PermutationTest:
    """The test of a statistic; the same statistic gives the same result each time.

    Args:
        statistic: of the labels as they are, given None; of labels that it permutes, given a generator.
        n: values that the labels are of.
    """
    generator = np.random.Generator(np.random.Philox(key=0))
    observed = statistic(None)
    permuted = np.array([statistic(generator) for _ in range(permutations)])
    as_high = int((permuted >= observed - 1e-12).sum())  # sums of the same numbers in another order are equal
    return PermutationTest(observed, float(permuted.mean()), n, (1 + as_high) / (1 + permutations))
