"""Work for cheap hosts (`tests/cheap_hosts.py`), and what has to come of it, wherever it is done."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from tests.cheap_hosts import Job, Numbers
from workers.distributed import RayExecutor

VALUES = np.random.default_rng(1).normal(size=1000)
SMALL = Numbers(VALUES)
LARGE = Numbers(np.resize(VALUES, 200_000), nbytes=1_600_000)
CORES = 3  # of the cluster
Staff = Callable[..., RayExecutor]


def toil(executor: RayExecutor, jobs: list[Job], shared: Numbers = SMALL) -> list[float]:
    """What an executor makes of some jobs."""
    return list(executor.map("toil", shared, jobs))


def expected(jobs: list[Job], shared: Numbers = SMALL) -> list[float]:
    """What it has to, to the last bit."""
    return [float(shared.values.sum() * job.number) for job in jobs]


def pids(executor: RayExecutor) -> list[int]:
    """The processes of the workers that are ready."""
    return [facts["pid"] for facts in executor.workers]


def times(log: Path) -> int:
    """How often a job that logs was begun."""
    return len(log.read_text().splitlines())
