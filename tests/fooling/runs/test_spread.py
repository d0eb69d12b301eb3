"""An ensemble whose networks have workers of their own evolves what it evolves in one process."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from fooling.archive import Archive, Cells
from fooling.encodings import create
from fooling.encodings.settings import CppnSettings
from fooling.errors import FoolingError
from fooling.runs.computing import Computing
from fooling.runs.spread import SpreadExecutor
from fooling.search.map_elites import MapElites
from fooling.search.toolbox import build
from workers.host import Host
from workers.local import LocalExecutor

SIZE, CLASSES = 6, 5


class Dots:
    """A classifier of plain arithmetic, coarsely rounded so that ties are common."""

    def __init__(self, seed: int) -> None:
        self._weights = np.random.default_rng(seed).normal(size=(SIZE * SIZE, CLASSES))

    def classify(self, pixels: np.ndarray, allow_nan: bool = False) -> np.ndarray:
        sums = (pixels.reshape(len(pixels), -1) / 255.0) @ self._weights
        return np.round(1 / (1 + np.exp(-sums)), 1).astype(np.float32)


class Both:
    """The mean of two."""

    def classify(self, pixels: np.ndarray, allow_nan: bool = False) -> np.ndarray:
        return mean([Dots(1).classify(pixels), Dots(2).classify(pixels)])


def mean(answers: Any) -> np.ndarray:
    return np.stack(answers).mean(0, dtype=np.float32)


def evolve(executor_of: Callable[[Any], Any]) -> str:
    encoding = create(CppnSettings(size=SIZE, colour="grey"), SIZE, "grey")
    archive = Archive(Cells(CLASSES), encoding.image_shape, encoding.empty())
    search = MapElites(SimpleNamespace(initial=20, population=30), 3, 7, build(encoding, Both()), archive)
    executor = executor_of(encoding)
    try:
        for number in range(8):
            search.step(number, Computing(executor))
    finally:
        executor.close()
    return archive.digest()


def local(encoding: Any, classifier: Any) -> Any:
    executor = LocalExecutor(Host(build(encoding, classifier)), 2)
    executor.end_workers = lambda: None  # type: ignore[attr-defined]
    return executor


def test_combined_answers_choose_the_same_elites() -> None:
    """A failure costs equal results: an image that is kept for the wrong class, or a tie that falls otherwise."""
    whole = evolve(lambda encoding: local(encoding, Both()))
    spread = evolve(lambda encoding: SpreadExecutor([local(encoding, Dots(seed)) for seed in (1, 2)], mean))
    assert spread == whole


def test_other_tasks_are_refused_in_one_line() -> None:
    executor = SpreadExecutor(
        [local(create(CppnSettings(size=SIZE, colour="grey"), SIZE, "grey"), Dots(1))], mean
    )
    with pytest.raises(FoolingError, match=r"can breed, not climb: set run\.spread = false"):
        list(executor.map("climb", None, []))  # type: ignore[arg-type]
    executor.close()


@pytest.fixture
def pair(tmp_path: Path) -> str:
    """The SPEC of an ensemble of the two networks that come with the package."""
    text = 'name = "pair"\n[ensemble]\nmembers = ["builtin:lenet", "builtin:lenet-b"]\ncombination = "{}"\n'
    (tmp_path / "pair.toml").write_text(text.format("mean"))
    return f"file:{tmp_path / 'pair.toml'}"


@pytest.mark.slow
def test_real_networks_on_real_workers(fooling: Any, pair: str, tmp_path: Path) -> None:
    """A failure costs the promise that an ensemble larger than a GPU evolves as it would in one process."""
    import json

    def digest(name: str, *flags: str) -> tuple[str, str]:
        small = ("--set", "search.generations=20", "--quiet", "--json")
        result = fooling("run", "--model", pair, "--out", tmp_path / name, *small, *flags)
        assert result.returncode == 0, result.stderr
        summary = json.loads(result.stdout)
        return summary["archive_sha256"], summary["lineage_sha256"]

    assert digest("spread", "--workers", "3", "--set", "run.spread=true") == digest("whole")
    assert len(list((tmp_path / "spread" / "logs").glob("worker-*.log"))) == 3


@pytest.mark.parametrize(
    "flags, message",
    [
        (("--set", "run.spread=true"), "expected Ray workers"),
        (("--workers", "1", "--set", "run.spread=true"), "at least a worker for each of 2 networks, found 1"),
    ],
)
def test_what_can_not_be_spread_is_one_line(
    fooling: Any, pair: str, tmp_path: Path, flags: tuple[str, ...], message: str
) -> None:
    result = fooling("run", "--model", pair, "--out", tmp_path / "run", "--quiet", *flags)
    assert result.returncode == 3
    assert message in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert not (tmp_path / "run").exists()
