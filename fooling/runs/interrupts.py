"""Ctrl-C, SIGTERM and the end of a terminal, while a run searches and while its results are written.

The first signal ends the search after a checkpoint. What is made of the checkpoint (PNGs, the gallery) can be made
again at any time, so that writing it is cut short. A second signal ends the process at once.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from workers.processes import interrupting_signals
from workers.signals import handling_signals

GRACE = 1.5  # seconds that results may take after an interrupted search


class _Cut(KeyboardInterrupt):
    """Ends the writing of results."""


class Interrupts:
    """The signals of one run. Does nothing outside of the main thread, which gets them."""

    def __init__(self, stopping: threading.Event) -> None:
        """`stopping` is set by the first signal."""
        self._stopping, self._writing = stopping, False
        self._here = threading.current_thread() is threading.main_thread()

    def heard(self) -> AbstractContextManager[None]:
        """Handle signals inside this block: the first one sets `stopping`."""
        return handling_signals(self._stop)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Results are written in this block. It ends early at a signal, or, after one, when `GRACE` is over."""
        if not self._here:
            yield
            return
        try:
            with _alarm(GRACE if self._stopping.is_set() else 0, self._cut):
                self._writing = True
                yield
        except _Cut:
            pass
        finally:
            self._writing = False

    def _stop(self, number: int, frame: Any) -> None:
        for each in interrupting_signals():
            signal.signal(each, signal.SIG_DFL)
        self._stopping.set()
        if self._writing:
            self._cut(number, frame)

    def _cut(self, number: int, frame: Any) -> None:
        self._writing = False
        raise _Cut


@contextmanager
def _alarm(seconds: float, handler: Any) -> Iterator[None]:
    """In this block `handler` is called after so many seconds; 0: never. An alarm that was set before goes on."""
    if not seconds or not hasattr(signal, "setitimer"):
        yield
        return
    before = signal.signal(signal.SIGALRM, handler)
    others = signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, *others)
        signal.signal(signal.SIGALRM, before)
