"""MAP-Elites beside single-class evolution: the verdict must follow the tests, whichever way they point."""

from __future__ import annotations

import pytest

from fooling.reproduce.experiments import single
from fooling.reproduce.workspace import Workspace
from fooling.studies.compare.comparison import Pair
from fooling.studies.rank_tests import RankTest


def test_of(better: float, p: float | None) -> RankTest:
    return RankTest("wilcoxon", (10, 10), 3.0, p, better)


test_of.__test__ = False  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("runs", "classes", "expected"),
    [
        ((1.0, 0.008), (0.8, 0.09), 1),
        ((1.0, 0.1), (0.9, 0.02), 1),
        ((0.0, 0.1), (0.1, 0.004), -1),
        ((0.9, 0.2), (0.8, 0.09), 0),
        ((1.0, 0.01), (0.1, 0.01), 0),
        (None, (0.9, 0.01), 1),
        (None, (0.5, None), 0),
    ],
)
def test_direction(
    runs: tuple[float, float] | None, classes: tuple[float, float | None], expected: int
) -> None:
    """Better, worse, or not known: no p-value, no finding; tests that disagree, none either."""
    pair = Pair((0, 1), None if runs is None else test_of(*runs), test_of(*classes))
    assert single.direction(pair) == expected


@pytest.mark.slow
def test_digits(workspace: Workspace) -> None:
    found = single.perform(workspace)
    assert [row.quantity.split(":")[0] for row in found.rows[::2]] == [
        "map-elites, cppn",
        "single-class, cppn",
        "map-elites, direct",
        "single-class, direct",
    ]
    assert all(len(row.values) == 3 for row in found.rows)
    assert len(found.tests) == 4
    assert all("n = " in test for test in found.tests)
    spent = {run["group"]: run["passes"] for run in found.numbers["runs"]}
    least, most = min(spent.values()), max(spent.values())
    assert most - least < 10 * 60, "equal evaluations, up to a population of each class"
    assert found.numbers["common_passes"] == least
