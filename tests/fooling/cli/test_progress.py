"""What is seen of a run under way. A failure costs trust: silence looks like a program that hangs."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

import numpy as np

from fooling.cli.progress import COMPILING, LOADING, Progress
from fooling.present.pace import Pace
from fooling.store.statistics import Statistics


def view(generation: int) -> Any:
    search = SimpleNamespace(generations=2)
    return SimpleNamespace(
        generation=generation,
        evaluations=10,
        statistics=Statistics.of(np.full(3, 0.5, np.float32)),
        spec=SimpleNamespace(config=SimpleNamespace(search=search)),
    )


def test_compiling_is_told_of_once_between_two_generations(capsys: Any, monkeypatch: Any) -> None:
    clock = iter(range(100, 1000, 100))
    monkeypatch.setattr(time, "monotonic", lambda: float(next(clock)))
    with Progress(quiet=False) as progress:
        progress.compiling()
        progress.compiling()
        progress.update(view(0))
        progress.compiling()
        progress.compiling()
        progress.update(view(1))
    lines = capsys.readouterr().err.splitlines()
    assert [line for line in lines if not line.startswith("generation")] == [LOADING, COMPILING, COMPILING]
    assert [line.split("  ")[0] for line in lines[2:]] == ["generation 0/2", COMPILING, "generation 1/2"]


def test_quiet_is_quiet(capsys: Any) -> None:
    with Progress(quiet=True) as progress:
        progress.compiling()
        progress.update(view(2))
    assert capsys.readouterr().err == ""


def test_the_pace_of_a_second_run_is_its_own() -> None:
    """Whoever hands one reporter to several runs would be told a speed and a time left that are wrong."""
    pace = Pace()
    pace.see(view(0), 0.0)
    assert "0/s, 1:40 left" in pace.state(view(1), 100.0)
    pace.see(view(0), 1000.0)
    assert "0:10 left" in pace.state(view(1), 1010.0)
