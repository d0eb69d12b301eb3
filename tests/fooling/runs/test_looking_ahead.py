"""Runs that begin generations ahead are the runs that don't: to the last bit, and killed at any moment."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fooling import lineage
from fooling.runs import launch
from fooling.runs.view import summary
from fooling.search import ahead

SMALL = ("search.generations=150", "search.population=30", "run.chunk=10", "run.batch=10")
CONFIGS = ("mnist-cppn", "mnist-direct")
Evolve = Callable[..., Any]


class Killed(BaseException):
    """Stands in for a SIGKILL: nothing handles it."""


@pytest.fixture
def evolve(tmp_path: Path) -> Evolve:
    def run(config: str, name: str, *more: str, **arguments: Any) -> Any:
        return launch.run(config, out=tmp_path / name, assignments=(*SMALL, *more), **arguments)

    return run


@pytest.mark.parametrize("config", CONFIGS)
def test_any_number_of_evaluators_finds_the_same(
    config: str, evolve: Evolve, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Contract 5. A failure costs runs that repeat: one evaluator never looks ahead, three do in calm times, and
    these here always."""
    alone = summary(evolve(config, "alone", "run.evaluators=1"))
    three = summary(evolve(config, "three", "run.evaluators=3"))
    monkeypatch.setattr(ahead.Forecast, "is_calm", True)
    always = summary(evolve(config, "always", "run.evaluators=3"))
    for key in ("archive_sha256", "lineage_sha256", "evaluations", "elites"):
        assert alone[key] == three[key] == always[key], key


def test_a_run_that_is_killed_while_it_looks_ahead_goes_on_to_the_same_end(
    evolve: Evolve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Contract 5. What was begun ahead is on no record, and must leave no trace."""
    monkeypatch.setattr(ahead.Forecast, "is_calm", True)
    whole = evolve("mnist-direct", "whole", "run.evaluators=3")

    def kill(view: Any) -> None:
        if view.generation == 77:
            raise Killed

    with pytest.raises(Killed):
        evolve("mnist-direct", "killed", "run.evaluators=3", "run.checkpoint_seconds=0.05", report=kill)
    resumed = launch.resume(tmp_path / "killed")
    assert resumed.archive.digest() == whole.archive.digest()
    ends = [
        lineage.read(tmp_path / name / "lineage", view.state["lineage_bytes"])
        for name, view in (("whole", whole), ("killed", resumed))
    ]
    assert (ends[0] == ends[1]).all()


def test_a_stop_rule_that_holds_ends_what_was_begun_ahead(
    evolve: Evolve, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A failure costs evaluations, and an end, that the user did not ask for."""
    monkeypatch.setattr(ahead.Forecast, "is_calm", True)
    run = evolve("mnist-direct", "run", "run.evaluators=3", "stop.evaluations=900")
    assert (run.status, run.state["evaluations"]) == ("completed", 900)
