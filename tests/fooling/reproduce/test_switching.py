"""Goal switches: what is counted, and the line that is drawn."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from fooling.reproduce.experiments import switching
from fooling.reproduce.workspace import Workspace
from fooling.studies.lineage.walk import Ancestor


def view(*generations: tuple[int, int]) -> Any:
    """A run of these replacements and goal switches."""
    curve = [
        {"generation": number, "replacements": replacements, "goal_switches": switches}
        for number, (replacements, switches) in enumerate(generations)
    ]
    return SimpleNamespace(curve=curve)


def test_the_first_generation_does_not_count() -> None:
    """It has no parents: counted in, every share would be too low."""
    assert switching.switched(view((10, 0), (4, 2), (4, 1))) == 3 / 8
    assert switching.switched(view((10, 0))) == 0.0


def ancestor(generation: int, held: int | None) -> Ancestor:
    if held is None:
        return Ancestor((generation, 0, 0), (), ())
    return Ancestor((generation, 0, 0), ((generation - 1, 0, 0),), (held,))


def test_a_line_is_told_by_its_changes() -> None:
    """The classes that were held are 3, 3, 5, 3, then the elite's own: a station where each stretch ends."""
    way = [
        ancestor(0, None),
        ancestor(1, 3),
        ancestor(2, 3),
        ancestor(3, 5),
        ancestor(4, 3),
        ancestor(5, 7),
    ]
    found = [(one.generation, held) for one, held in switching.stations(way, 7)]
    assert found == [(1, 3), (2, 5), (3, 3), (5, 7)]


def test_a_lone_ancestor_is_a_line() -> None:
    assert [held for _, held in switching.stations([ancestor(0, None)], 4)] == [4]


@pytest.mark.parametrize("generations", [1, 2, 3, 7, 100, 200])
def test_stretches_double_and_cover_all(generations: int) -> None:
    edges = switching._stretches(generations)
    assert edges[0] == 0
    assert edges[-1] == generations
    assert (np.diff(edges) > 0).all()
    assert np.diff(edges)[:-1].tolist() == [2**n for n in range(len(edges) - 2)]


@pytest.mark.parametrize(
    ("shares", "holds"),
    [
        ([0.15, 0.2], [True, True]),
        ([0.07, 0.08], [True, False]),
        ([0.65, 0.66], [True, False]),
        ([0.0, 0.01], [False, False]),
    ],
)
def test_claims(shares: list[float], holds: list[bool]) -> None:
    assert [claim.holds for claim in switching.claims("digits, cppn", shares)] == holds


@pytest.mark.slow
def test_digits(workspace: Workspace) -> None:
    found = switching.perform(workspace)
    for row, runs in zip(found.rows, found.numbers.values(), strict=False):
        assert len(row.values) == 3
        assert row.values == tuple(one["goal_switches"] / one["replacements"] for one in runs)
    assert [figure.name for figure in found.figures] == ["curves", "line"]
    assert all(figure.picture.startswith(b"\x89PNG") for figure in found.figures)
