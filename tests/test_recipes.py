"""The recipes of docs/architecture.md, followed: a failure costs whoever adds a part the afternoon that the page
promises to save."""

from __future__ import annotations

import importlib
import re
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from fooling import classifiers, model_specs
from fooling.classifiers import sources

PAGE = Path(__file__).resolve().parent.parent / "docs" / "architecture.md"


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
