"""`fooling doctor` cleans up after killed runs, and after nobody else."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def temporary() -> Iterator[Path]:
    """A folder with a path of ten characters at most: Ray's sockets have to fit below it."""
    folder = Path(f"/tmp/f{os.getpid() % 10_000}")
    folder.mkdir()
    yield folder
    shutil.rmtree(folder)


def test_only_folders_of_dead_processes_are_removed(fooling: Any, temporary: Path) -> None:
    """A failure costs disk, run after killed run; or the cluster of a run that is alive."""
    gone = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, text=True
    )
    dead, alive = (temporary / f"fooling-ray-{pid}-abc" for pid in (int(gone.stdout), os.getpid()))
    other = temporary / "fooling-ray-notes"
    for folder in (dead, alive, other):
        folder.mkdir()
        (folder / "file").touch()
    result = fooling("doctor", "--json", env={"TMPDIR": str(temporary)})
    assert result.returncode == 0, result.stderr
    found = json.loads(result.stdout)
    assert found["removed"] == [str(dead)]
    assert [folder.exists() for folder in (dead, alive, other)] == [False, True, True]
    assert {"versions", "extras", "processor", "cores", "gpus", "compiler", "kernels", "free_disk"} <= set(
        found
    )


def test_it_reads_well(fooling: Any) -> None:
    result = fooling("doctor")
    assert result.returncode == 0, result.stderr
    assert "versions         python " in result.stdout


def test_without_a_home_it_works_and_says_where_kernels_are(fooling: Any, temporary: Path) -> None:
    """A failure costs the start in a container with a foreign user."""
    (temporary / "file").touch()
    nowhere = {"TMPDIR": str(temporary), "HOME": "/dev/null", "XDG_CACHE_HOME": str(temporary / "file")}
    result = fooling("doctor", env=nowhere)
    assert result.returncode == 0, result.stderr
    assert f"kernels          {temporary}/fooling-cache-{os.getuid()} (temporary: " in result.stdout
