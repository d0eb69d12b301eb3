"""What Linux tells of processes: CPU time, memory, libraries."""

from __future__ import annotations

import os
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


def ray_cpu(workers: set[int]) -> float:
    """CPU seconds so far of Ray's own processes under this one: GCS, raylet and their helpers."""
    parents, seconds = {}, {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:  # it has ended
            continue
        pid = int(path.parent.name)
        parents[pid], seconds[pid] = int(fields[1]), (int(fields[11]) + int(fields[12])) / TICKS
    ours = {os.getpid()}
    while more := {pid for pid, parent in parents.items() if parent in ours} - ours:
        ours |= more
    return sum(seconds[pid] for pid in ours - workers - {os.getpid()})


def proportional_bytes(pid: int) -> int:
    """Memory of a process, with its part of what it shares with others."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))


def has_torch(pid: int) -> bool:
    """Whether a process has torch's library in memory."""
    return "libtorch" in Path(f"/proc/{pid}/maps").read_text()
