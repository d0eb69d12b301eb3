"""Tiny runs as jobs, and ways to wait for what happens to them."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fooling.service.jobs import Job, Jobs, State
from fooling.service.jobs.places import Places, is_id
from fooling.service.jobs.records import read_record

# Four generations that are computed in a blink, with a checkpoint after each.
TINY = {
    "search.generations": 4,
    "search.population": 20,
    "run.threads": 1,
    "run.evaluators": 1,
    "run.batch": 20,
    "run.checkpoint_seconds": 0,
}
# The same with so many generations that it never ends.
ENDLESS = {**TINY, "search.generations": 1_000_000, "run.checkpoint_seconds": 0.2}
WITHIN = 120.0  # seconds that a process may take to start on a machine that has much to do


def kill_all(root: Path) -> None:
    """Kill the processes of all jobs of a folder."""
    places = Places(root)
    for id in [path.name for path in places.jobs.iterdir() if is_id(path.name)]:
        record = read_record(places.job(id))
        if record.process is not None and not record.launching:
            record.process.kill()


def request(**settings: Any) -> dict[str, Any]:
    """A request for a tiny direct run."""
    given = dict(TINY)
    seed = settings.pop("seed", 0)
    given.update(settings.pop("set", {}))
    assert not settings
    return {"config": "mnist-direct", "seed": seed, "set": given}


def wait(holds: Callable[[], Any], seconds: float = WITHIN) -> Any:
    """Wait until something holds, and give it."""
    end = time.monotonic() + seconds
    while not (found := holds()):
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)
    return found


def wait_for(jobs: Jobs, id: str, *states: State) -> Job:
    """Wait until a job is in one of these states."""
    end = time.monotonic() + WITHIN
    while (job := jobs.get(id)).state not in states:
        assert time.monotonic() < end, f"waited in vain for {states}: {job}"
        time.sleep(0.02)
    return job


def digests(directory: Path) -> tuple[str, str]:
    """Of a run."""
    from fooling.store.reading import open_run
    from fooling.store.summary import summary

    found = summary(open_run(directory))
    return found.archive_sha256, found.lineage_sha256
