"""The recipes of docs/architecture.md, followed: a failure costs whoever adds a part the afternoon that the page
promises to save."""

from __future__ import annotations

import importlib
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from fooling import classifiers, model_specs
from fooling.classifiers import sources

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "architecture.md"


def blocks(heading: str) -> list[str]:
    """The Python blocks under a heading of the page."""
    _, _, rest = PAGE.read_text().partition(f"## {heading}\n")
    assert rest, f"no recipe named {heading}"
    return re.findall(r"```python\n(.*?)```", rest.partition("\n## ")[0], re.S)


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """`toy(heading)`: the module that a recipe's first block is, under the name `toy`."""

    def make(heading: str) -> Any:
        (tmp_path / "toy.py").write_text(blocks(heading)[0])
        monkeypatch.syspath_prepend(tmp_path)
        monkeypatch.delitem(sys.modules, "toy", raising=False)
        return importlib.import_module("toy")

    return make


def test_a_classifier_source(toy: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    source = toy("Adding a classifier source")
    monkeypatch.setitem(sources.SOURCES, "toy", source.open_toy)
    monkeypatch.setattr(model_specs, "SOURCES", (*model_specs.SOURCES, "toy"))
    found = classifiers.load("toy:bright")
    assert found.labels == ("dark", "bright")
    assert found.confidences(torch.ones(1, 1, 8, 8))[0].argmax() == 1


def test_every_source_is_in_both_lists() -> None:
    """A failure costs a source: its SPECs are unknown, or end in a KeyError."""
    assert set(sources.SOURCES) == set(model_specs.SOURCES)


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A copy of the package that may be changed, beside the rooms below it as they are."""
    shutil.copytree(ROOT / "fooling", tmp_path / "fooling", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("cppn", "workers", "configs"):
        (tmp_path / name).symlink_to(ROOT / name)
    return tmp_path


@pytest.mark.slow
@pytest.mark.parametrize(
    ("heading", "first", "unions", "asked"),
    [
        (
            "Adding a search",
            "# A search is found",
            {"Annotated[\n    MapElites": "Annotated[\n    RandomSettings | MapElites", "Annotated[\n    ResolvedMap": "Annotated[\n    RandomSettings | ResolvedMap"},
            {"search": "random", "encoding": "direct"},
        ),
        (
            "Adding an encoding",
            "# An encoding is found",
            {"Annotated[Cppn": "Annotated[MirroredSettings | Cppn", "Annotated[ResolvedCppn": "Annotated[ResolvedMirrored | ResolvedCppn"},
            {"search": "map-elites", "encoding": "mirrored"},
        ),
    ],
)  # fmt: skip
def test_a_search_and_an_encoding(
    house: Path,
    environment: dict[str, str],
    heading: str,
    first: str,
    unions: dict[str, str],
    asked: dict[str, str],
) -> None:
    module, settings = blocks(heading)
    path = house / module.splitlines()[0].removeprefix("# ")
    path.write_text(module)
    room = path.parent / "settings.py"
    text = room.read_text().replace(first, f"{settings}\n\n{first}")
    for found, wanted in unions.items():
        assert found in text
        text = text.replace(found, wanted)
    room.write_text(text)

    names = [f"{table}.name={name}" for table, name in asked.items()]
    sets = [
        word for one in (*names, "search.generations=3", "search.population=20") for word in ("--set", one)
    ]
    command = [sys.executable, "-m", "fooling", "run", "--out", "run", "--json", "--quiet", *sets]
    done = subprocess.run(command, cwd=house, env={**environment, "PYTHONPATH": str(house)}, capture_output=True, text=True)  # fmt: skip
    assert done.returncode == 0, done.stderr
    run = json.loads(done.stdout)
    assert {table: run["config"][table]["name"] for table in asked} == asked
    assert (run["status"], run["evaluations"]) == ("completed", 80)
