"""`fooling doctor` cleans up after killed runs, and after nobody else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any


def test_only_folders_of_dead_processes_are_removed(fooling: Any, tmp_path: Path) -> None:
    """A failure costs disk, run after killed run; or the cluster of a run that is alive."""
    gone = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, text=True
    )
    dead, alive = (tmp_path / f"fooling-ray-{pid}-abc" for pid in (int(gone.stdout), os.getpid()))
    other = tmp_path / "fooling-ray-notes"
    for folder in (dead, alive, other):
        folder.mkdir()
        (folder / "file").touch()
    result = fooling("doctor", "--json", env={"TMPDIR": str(tmp_path)})
    assert result.returncode == 0, result.stderr
    found = json.loads(result.stdout)
    assert found["removed"] == [str(dead)]
    assert sorted(path for path in tmp_path.iterdir()) == sorted([alive, other])
    assert {"versions", "processor", "cores", "gpus", "kernels"} <= set(found)


def test_it_reads_well(fooling: Any) -> None:
    result = fooling("doctor")
    assert result.returncode == 0, result.stderr
    assert "versions         python " in result.stdout
