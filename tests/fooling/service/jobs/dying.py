"""A process that is killed between any two changes that it makes on the disk."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable
from typing import Any

_CHANGES = ("replace", "rename", "unlink", "mkdir", "fsync")


def killed_at(step: int, work: Callable[[], object]) -> bool:
    """Do some work in a copy of this process, which is killed before its change of that number.

    Returns:
        Whether it was; else the work is done.
    """
    child = os.fork()
    if child == 0:
        try:
            _die_at(step)
            work()
            os._exit(0)
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0, "the work failed"
    return os.WIFSIGNALED(status)


def _die_at(step: int) -> None:
    left = [step]

    def counted(change: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            left[0] -= 1
            if left[0] < 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return change(*args, **kwargs)

        return call

    for name in _CHANGES:
        setattr(os, name, counted(getattr(os, name)))
    setattr(subprocess, "Popen", counted(_no_process))  # noqa: B010


class _no_process:
    """In place of a job's process: one that never comes to anything."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        pass

    def poll(self) -> int:
        return 0
