"""Who is told of a run while it is computed, and how it is stopped."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fooling.runs.executors import ClusterOptions
from fooling.store.snapshot import Snapshot

Report = Callable[[Snapshot], None]
Warn = Callable[[str], None]


def _ignore(*_: object) -> None:
    pass


@dataclass(frozen=True)
class Listeners:
    """Who is told of a run, and who may stop it.

    Attributes:
        report: called with a snapshot of the run after each generation.
        warn: called with each thing that the user should know, one line each.
        pages: called with a snapshot of the run at its end, to write pages beside it.
        began: called with the run directory as soon as there is one.
        record: called with each record that is written to the log.
        cluster: how a cluster is waited for.
        stopping: set, from a signal handler or another thread, it ends the run within a chunk, after a checkpoint.
    """

    report: Report = _ignore
    warn: Warn = _ignore
    pages: Report = _ignore
    began: Callable[[Path], None] = _ignore
    record: Callable[[dict[str, Any]], None] = _ignore
    cluster: ClusterOptions = field(default_factory=ClusterOptions)
    stopping: threading.Event = field(default_factory=threading.Event)
