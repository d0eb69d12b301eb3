"""A workspace of small runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from fooling.reproduce.workspace import Scale, Workspace
from fooling.store.steps import StepStore

SMALL = Scale(quick=True, seeds=3, generations=3)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """Three seeds, three generations, no data, no model."""
    return Workspace(StepStore(tmp_path / "workspace"), SMALL)
