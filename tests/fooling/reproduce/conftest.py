"""A laboratory of small runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from fooling.reproduce.laboratory import Laboratory, Scale

SMALL = Scale(quick=True, seeds=3, generations=3)


@pytest.fixture
def laboratory(tmp_path: Path) -> Laboratory:
    """Three seeds, three generations, no data, no model."""
    return Laboratory(tmp_path / "laboratory", SMALL)
