"""The module-level `random`, which DEAP and neat-python draw from (DEAP issue #75): lent to them for a while, and
given back as it was.

Nothing can keep other threads of a program from drawing from it meanwhile; what is ours takes turns.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_TURN = threading.Lock()


@contextmanager
def borrowed() -> Iterator[None]:
    """Have the global generator to oneself; afterwards it is in the state that it was in."""
    with _TURN:
        state = random.getstate()
        try:
            yield
        finally:
            random.setstate(state)


class Stream:
    """Draws of a library's own: one stream of the global generator, which goes on where it was left."""

    def __init__(self, seed: str) -> None:
        self._own = random.Random(seed).getstate()
        self._others: Any = None  # the global generator's own state, while it is this stream

    @contextmanager
    def lent(self) -> Iterator[None]:
        """The global generator is this stream; not to be entered twice."""
        self._take()
        try:
            yield
        finally:
            self._give_back()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Inside of `lent`: the global generator is anyone's until this ends. For what takes long and calls code of
        others."""
        self._give_back()
        try:
            yield
        finally:
            self._take()

    def _take(self) -> None:
        _TURN.acquire()
        self._others = random.getstate()
        random.setstate(self._own)

    def _give_back(self) -> None:
        self._own = random.getstate()
        random.setstate(self._others)
        _TURN.release()
