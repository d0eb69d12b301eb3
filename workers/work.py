"""The chunks of one call to a Ray executor's `map`: which are to be issued, which are done, which failed."""

from __future__ import annotations

import statistics
from collections import deque
from collections.abc import Sequence
from typing import Any

MAX_FAILURES = 3  # of a chunk, or of workers that start, before the run gives up


class Work:
    """What is known of each chunk."""

    def __init__(self, chunks: Sequence[Any]) -> None:
        self._chunks = chunks
        self.pending = deque(range(len(chunks)))
        self.results: dict[int, Any] = {}
        self.done: set[int] = set()
        self.reissued: set[int] = set()
        self.failures: dict[int, int] = {}
        self._seconds: list[float] = []

    @property
    def median(self) -> float:
        """Seconds that a chunk takes; 0 where none is done."""
        return statistics.median(self._seconds) if self._seconds else 0.0

    def next(self) -> int:
        """The next chunk to issue."""
        return self.pending.popleft()

    def take(self, number: int, answer: Any, seconds: float) -> None:
        """Record an answer for a chunk.

        Raises:
            torch.OutOfMemoryError: a device's memory ran out.
            FoolingError: it failed for the last time.
        """
        if number in self.done:
            return
        if answer.kind == "done":
            self.done.add(number)
            self.results[number] = answer.value
            self._seconds.append(seconds)
            return
        if answer.kind == "memory":
            import torch

            raise torch.OutOfMemoryError(answer.value)
        if answer.kind == "failed":
            self.failures[number] = self.failures.get(number, 0) + 1
            if self.failures[number] >= MAX_FAILURES:
                name = getattr(self._chunks[number], "name", f"chunk {number + 1} of {len(self._chunks)}")
                raise answer.error(f"{name} failed {MAX_FAILURES} times: {answer.value}")
        if number not in self.pending:
            self.pending.appendleft(number)
            self.reissued.discard(number)
