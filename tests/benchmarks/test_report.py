"""How measurements are taken in turns and kept, and that all of them run. A wrong figure costs more than none: it is quoted."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from benchmarks import __main__ as everything
from benchmarks import (
    report,
)
from fooling.present.markdown import table as markdown


@pytest.mark.parametrize("name", everything.ALL)
def test_each_measurement_says_its_method_and_has_a_quick_form(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else `make bench` runs for an hour, or prints figures nobody can judge."""
    package = importlib.import_module(f"benchmarks.{name}")
    module = (
        importlib.import_module(f"benchmarks.{name}.__main__") if hasattr(package, "__path__") else package
    )
    assert f"python -m benchmarks.{name} [--quick] [--cores 2]" in (module.__doc__ or "")
    monkeypatch.setattr(sys, "argv", [name, "--quick", "--cores", "4096"])
    assert report.arguments(report.parser(module.__doc__)).quick
    assert callable(module.main)


def test_calls_are_measured_in_turns() -> None:
    """Measured one after the other, a machine whose speed drifts would favour one of them."""
    order: list[tuple[str, int]] = []
    calls = {name: lambda repeat, name=name: order.append((name, repeat)) for name in ("a", "b")}
    report.interleaved(calls, 2)
    assert order == [("a", 0), ("b", 0), ("a", 1), ("b", 1)]


def test_growth_is_the_exponent() -> None:
    sizes = [10, 100, 1000]
    assert report.exponent(sizes, [3 * size**1.5 for size in sizes]) == pytest.approx(1.5)


def test_quick_figures_are_kept_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a glance at the benchmarks overwrites the figures that the documentation quotes."""
    monkeypatch.setattr(report, "RESULTS", tmp_path)
    full = report.save("some", {"x": 1}, {"Title": markdown(["a"], [[1]])})
    quick = report.save("some", {"x": 2}, quick=True)
    assert full == tmp_path / "some.json"
    assert "## Title" in full.with_suffix(".md").read_text()
    assert quick.parent != full.parent


def test_everything_is_run_and_a_failure_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    commands: list[list[str]] = []

    def run(command: list[str], check: bool) -> SimpleNamespace:
        commands.append(command)
        return SimpleNamespace(returncode=int("benchmarks.peers" in command))

    monkeypatch.setattr("benchmarks.__main__.subprocess.run", run)
    monkeypatch.setattr(sys, "argv", ["benchmarks"])
    assert everything.main() == 1
    assert [command[2] for command in commands] == [f"benchmarks.{name}" for name in everything.ALL]
    assert all("--quick" in command for command in commands)
    assert "failed: peers" in capsys.readouterr().err
