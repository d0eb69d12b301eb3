"""The small experiment, done once."""

from __future__ import annotations

from pathlib import Path

import pytest

from fooling.api import beside
from fooling.present.retrain.figures import figure
from fooling.studies.retrain import Plan, Round, retrain
from tests.fooling.studies.retrain.small import DATA, PLAN


@pytest.fixture(scope="session")
def experiment(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Round], list[str]]:
    """Folder, rounds and the lines that were reported. Tests only read it, or copy it."""
    folder, lines = tmp_path_factory.mktemp("retrain") / "done", list[str]()
    rounds = retrain(DATA, folder, Plan(**PLAN), report=lines.append, draw=figure, pages=beside)
    return folder, rounds, lines
