"""A folder of jobs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from fooling.service.jobs import Jobs
from tests.fooling.service.jobs.tiny_jobs import kill_all


@pytest.fixture(autouse=True)
def _own_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """No settings of whoever runs the tests, one thread each."""
    for name in [name for name in os.environ if name.startswith("FOOLING__")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The folder of runs."""
    return tmp_path / "runs"


@pytest.fixture
def jobs(root: Path) -> Iterator[Jobs]:
    """Its jobs. Whatever still runs at the end of the test is killed."""
    found = Jobs(root)
    yield found
    found.close()
    kill_all(root)
