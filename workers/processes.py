"""The processes of this machine: which signals end one, which are alive, and how to kill those of a dead
cluster."""

from __future__ import annotations

import os
import signal
from pathlib import Path


def interrupting_signals() -> tuple[signal.Signals, ...]:
    """The signals that ask a run to end: SIGINT (Ctrl-C), SIGTERM, and SIGHUP, which the end of a terminal
    sends; the last not where it is ignored (`nohup`) or does not exist (Windows)."""
    hang_up = getattr(signal, "SIGHUP", None)
    heard = () if hang_up is None or signal.getsignal(hang_up) == signal.SIG_IGN else (hang_up,)
    return (signal.SIGINT, signal.SIGTERM, *heard)


def is_alive(pid: int) -> bool:
    """Whether a process with this pid exists, of any user."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def kill_marked(variable: str, value: str) -> None:
    """Kill the other processes of this user that have an environment variable with this value."""
    mark = f"{variable}={value}".encode()
    for environment in Path("/proc").glob("[0-9]*/environ"):
        pid = int(environment.parent.name)
        try:
            ours = pid != os.getpid() and mark in environment.read_bytes().split(b"\0")
        except OSError:  # the process is another user's, or gone
            continue
        if ours:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
