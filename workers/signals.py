"""Ctrl-C, SIGTERM and SIGHUP while a cluster is opened or closed: neither may be left half done."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from fooling.errors import Interrupted
from workers.processes import interrupting_signals


@contextmanager
def interruptible(stopping: threading.Event) -> Iterator[None]:
    """Inside this block, a signal raises KeyboardInterrupt, so that what was begun is undone. It also sets
    `stopping`, because an exception that is raised inside a destructor or a callback is lost."""

    def interrupt(number: int, frame: Any) -> None:
        stopping.set()
        raise KeyboardInterrupt

    with handling_signals(interrupt):
        try:
            yield
        except Interrupted:
            if threading.current_thread() is not threading.main_thread():
                raise  # there was no signal: whoever holds the run stopped it
            raise KeyboardInterrupt from None


@contextmanager
def deferring_signals() -> Iterator[None]:
    """Handle signals after this block. The handlers that Ray sets inside it are removed."""
    came: list[int] = []
    try:
        with handling_signals(lambda number, frame: came.append(number)):
            yield
    finally:
        if came:
            signal.raise_signal(came[0])


def ignoring_signals() -> AbstractContextManager[None]:
    """Ignore signals inside this block: a second Ctrl-C must not leave processes behind."""
    return handling_signals(signal.SIG_IGN)


@contextmanager
def handling_signals(handler: Any) -> Iterator[None]:
    """Handle the interrupting signals with `handler` inside this block. Only the main thread gets signals; in
    another one nothing changes."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, handler) for number in interrupting_signals()}
    try:
        yield
    finally:
        for number, handler_before in before.items():
            if handler_before is not None:  # None: the handler was set by C code and can't be set again
                signal.signal(number, handler_before)
