"""Runs on Ray workers as a user starts them, and what may be left of them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests import warm
from tests.ray_clusters import processes

FEW = ("--set", "search.generations=12", "--set", "search.population=60", "--set", "run.chunk=25")
DIGESTS = ("archive_sha256", "lineage_sha256")


@contextmanager
def command(environment: dict[str, str], *arguments: Any, cwd: Path | None = None) -> Iterator[warm.Command]:
    """`fooling` with these arguments, under way; killed at the end of the block if it still is."""
    with warm.start(arguments, environment, cwd) as process:
        try:
            yield process
        finally:
            process.kill()


@contextmanager
def talking(environment: dict[str, str], *arguments: Any) -> Iterator[subprocess.Popen[str]]:
    """As `command`, but what it says can be read while it runs."""
    line = [sys.executable, "-m", "fooling", *map(str, arguments)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(line, env=environment, **pipes) as process:  # type: ignore[call-overload]
        try:
            yield process
        finally:
            process.kill()


def finished(process: warm.Command) -> dict[str, Any]:
    """What a command printed as JSON; it ended well."""
    out, said = process.communicate(timeout=250)
    assert process.returncode == 0, said
    assert left_behind(process.pid) == []
    return json.loads(out)


def workers_of(pid: int) -> list[int]:
    """The Ray workers of a run's own cluster."""
    return sorted(set(processes("ray::Worker")) & set(cluster_of(pid)))


def cluster_of(pid: int) -> list[int]:
    """All processes of a run's own cluster."""
    return processes(f"FOOLING_RAY_FOLDER=/tmp/fooling-ray-{pid}-", environ=True)


def left_behind(pid: int) -> list[str]:
    """What is there of a run's own cluster: processes and folders."""
    return [*map(str, cluster_of(pid)), *map(str, Path("/tmp").glob(f"fooling-ray-{pid}-*"))]


def generations(out: Path) -> int:
    """The last generation in a run's log, -1 before there is one."""
    events = out / "events.jsonl"
    lines = events.read_bytes().splitlines() if events.exists() else []
    return sum(line.startswith(b'{"event": "generation"') for line in lines) - 1


def same(found: dict[str, Any], whole: dict[str, Any]) -> None:
    assert [found[key] for key in DIGESTS] == [whole[key] for key in DIGESTS]
    assert found["status"] == "completed"
