"""Ctrl-C, SIGTERM and SIGHUP while a cluster is opened or closed: nothing may be left half-way."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from workers.processes import interrupting_signals
from workers.protocol import Interrupted


@contextmanager
def interruptible(stopping: threading.Event) -> Iterator[None]:
    """In this block signals are a KeyboardInterrupt, so that what was begun is undone, and set
    `stopping`: an exception that is raised inside of a destructor or callback is lost."""

    def interrupt(number: int, frame: Any) -> None:
        stopping.set()
        raise KeyboardInterrupt

    with _handling(interrupt):
        try:
            yield
        except Interrupted:
            raise KeyboardInterrupt from None


@contextmanager
def deferred() -> Iterator[None]:
    """Signals are handled after this block, in which Ray sets handlers of its own; those are undone."""
    came: list[int] = []
    try:
        with _handling(lambda number, frame: came.append(number)):
            yield
    finally:
        if came:
            signal.raise_signal(came[0])


def undisturbed() -> AbstractContextManager[None]:
    """An impatient second Ctrl-C must not leave processes behind."""
    return _handling(signal.SIG_IGN)


@contextmanager
def _handling(handler: Any) -> Iterator[None]:
    """Signals are handled like this inside the block; in the main thread, which gets them."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, handler) for number in interrupting_signals()}
    try:
        yield
    finally:
        for number, handler_before in before.items():
            if handler_before is not None:  # one of Python's, not of a library in C
                signal.signal(number, handler_before)
