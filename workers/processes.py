"""The processes of this machine: what a killed run left of itself is told from a living one by them."""

from __future__ import annotations

import os
import signal
from pathlib import Path


def interrupting_signals() -> tuple[signal.Signals, ...]:
    """Those that ask a run to end: Ctrl-C, SIGTERM, and SIGHUP, which the end of a terminal sends, unless it is to be
    ignored (`nohup`)."""
    hang_up = getattr(signal, "SIGHUP", None)  # not on Windows
    heard = () if hang_up is None or signal.getsignal(hang_up) == signal.SIG_IGN else (hang_up,)
    return (signal.SIGINT, signal.SIGTERM, *heard)


def is_alive(pid: int) -> bool:
    """Whether there is such a process, whoever's it is."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def end_marked(variable: str, value: str) -> None:
    """Kill the other processes of this user that have an environment variable of this value."""
    mark = f"{variable}={value}".encode()
    for environment in Path("/proc").glob("[0-9]*/environ"):
        pid = int(environment.parent.name)
        try:
            ours = pid != os.getpid() and mark in environment.read_bytes().split(b"\0")
        except OSError:  # another user's, or gone
            continue
        if ours:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
