"""Ctrl-C and SIGTERM in runs on Ray workers: a checkpoint, one line, and nothing left over."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest

from tests.ray_clusters import processes, wait_until
from tests.ray_runs import FEW, cluster_of, command, generations, left_behind, workers_of

pytestmark = pytest.mark.xdist_group("runs on ray")


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_leaves_a_checkpoint_and_nothing_else(number, small_run, environment, tmp_path, fooling):
    """A failure costs the generations since the last checkpoint, or processes that eat a machine's memory."""
    out = tmp_path / "run"
    longer = ("--set", "run.checkpoint_seconds=3600", *FEW, "--set", "search.generations=5000")
    with command(environment, "run", "--out", out, "--workers", 2, "--quiet", *longer) as process:
        wait_until(lambda: generations(out) >= 5, "generation 5")
        process.send_signal(number)
        _, said = process.communicate(timeout=200)
    assert process.returncode == 130
    assert said == f"interrupted; continue with: fooling resume {out}\n"
    assert left_behind(process.pid) == []
    assert list((out / "checkpoints").iterdir())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("moment", "later", "number"),
    [
        ("a folder", 0, signal.SIGINT),
        ("a folder", 0.3, signal.SIGTERM),
        ("a raylet", 0, signal.SIGTERM),
        ("a raylet", 0.3, signal.SIGINT),
        ("a worker", 0, signal.SIGINT),
        ("a run directory", 0, signal.SIGTERM),
    ],
)
def test_a_signal_while_everything_starts(number, moment, later, environment, tmp_path):
    """Whenever it comes, once there is something to clean up: exit 130, no cluster, no half-made directory."""
    out = tmp_path / "run"
    endless = ("--set", "search.generations=100000")
    with command(environment, "run", "--out", out, "--workers", 2, "--quiet", *endless) as process:
        there = {
            "a folder": lambda: list(Path("/tmp").glob(f"fooling-ray-{process.pid}-*")),
            "a raylet": lambda: set(processes("raylet/raylet")) & set(cluster_of(process.pid)),
            "a worker": lambda: workers_of(process.pid),
            "a run directory": out.exists,
        }
        wait_until(there[moment], moment)
        time.sleep(later)
        process.send_signal(number)
        _, said = process.communicate(timeout=200)
    assert process.returncode == 130, said
    assert said.strip().startswith(("error: interrupted", "interrupted; "))
    assert said.strip().count("\n") == 0
    assert left_behind(process.pid) == []
    assert not list(tmp_path.glob(".*"))
