"""Rank tests between runs: is one search better than another, or luckier?

Ranks, because confidences crowd at 1 and have no natural scale. Every result carries the numbers of values that
it rests on.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

SYMBOLS = {"mann-whitney-u": "Mann-Whitney U", "wilcoxon": "Wilcoxon W"}
_MOST = 20_000  # arrangements that are counted out


@dataclass(frozen=True)
class RankTest:
    """One test of two samples.

    Attributes:
        test: "mann-whitney-u" (independent samples: runs) or "wilcoxon" (pairs: classes).
        n: values in each sample; of pairs, those that differ, twice the same.
        statistic: U, or the smaller sum of ranks; None where nothing can be said.
        p: two-sided; None where nothing can be said.
        better: how often the first is the higher one: of all pairs of values, or of the pairs; ties count half.
    """

    test: Literal["mann-whitney-u", "wilcoxon"]
    n: tuple[int, int]
    statistic: float | None
    p: float | None
    better: float | None

    def direction(self, alpha: float) -> int:
        """1 where the first is higher beyond chance, -1 where it is lower, 0 where neither is known.

        Args:
            alpha: what p has to be below.
        """
        if self.p is None or self.better is None or self.p >= alpha:
            return 0
        return int(np.sign(self.better - 0.5))


def format_p(value: float | None) -> str:
    """A p-value: 0.021, 0.0079, 3e-05; one too small for a float is below 1e-300."""
    if value is None:
        return "–"
    if value < 1e-300:
        return "< 1e-300"
    return f"{value:.2g}" if value >= 0.001 else f"{value:.0e}"


def format_n(test: RankTest) -> str:
    """The numbers of values that a test rests on: of both samples, or the pairs that differ."""
    return f"{test.n[0]} + {test.n[1]}" if test.test == "mann-whitney-u" else str(test.n[0])


def in_words(test: RankTest) -> str:
    """A test as a sentence; never a p-value without its n."""
    if test.p is None or test.better is None:
        return f"no difference (n = {format_n(test)})"
    return (
        f"the first is higher in {test.better:.0%} of pairs, {SYMBOLS[test.test]} = {test.statistic:g}, "
        f"p {_equals(test.p)}, n = {format_n(test)}"
    )


def _equals(value: float) -> str:
    """An equation, or what it is below where it is too small for a float."""
    text = format_p(value)
    return text if text.startswith("<") else f"= {text}"


def mann_whitney(a: NDArray[Any], b: NDArray[Any]) -> RankTest:
    """Whether values of two independent samples, (n,) and (m,), are as likely to be the higher one (Mann &
    Whitney 1947)."""
    from scipy import stats

    if min(len(a), len(b)) < 2:
        return RankTest("mann-whitney-u", (len(a), len(b)), None, None, None)
    method = _exact(math.comb(len(a) + len(b), len(a)))
    found = stats.mannwhitneyu(a, b, alternative="two-sided", method=method)
    u = float(found.statistic)
    return RankTest("mann-whitney-u", (len(a), len(b)), u, float(found.pvalue), u / (len(a) * len(b)))


def wilcoxon(a: NDArray[Any], b: NDArray[Any]) -> RankTest:
    """Whether the differences of pairs, (n,) and (n,), lie symmetrically about 0 (Wilcoxon 1945). Pairs without a
    difference are left out, as are those with a NaN."""
    from scipy import stats

    differences = (a - b)[~np.isnan(a - b)]
    better = float((np.sign(differences) / 2 + 0.5).mean()) if len(differences) else None
    unequal = differences[differences != 0]
    if len(unequal) < 2:
        return RankTest("wilcoxon", (len(unequal),) * 2, None, None, better)
    found = stats.wilcoxon(unequal, method=_exact(2 ** len(unequal)))
    return RankTest("wilcoxon", (len(unequal),) * 2, float(found.statistic), float(found.pvalue), better)


def _exact(arrangements: int) -> Any:
    """scipy's method: all arrangements of small samples, which is exact with ties too; else its own choice, which is
    exact without ties while samples are not large."""
    from scipy import stats

    return stats.PermutationMethod(n_resamples=_MOST) if arrangements <= _MOST else "auto"
