"""The chunks of one call to a Ray executor's `map`: which are waiting, which are done, and how often each has
failed."""

from __future__ import annotations

import statistics
from collections import deque
from collections.abc import Sequence
from typing import Any

from workers.actor import Answer

MAX_FAILURES = 3  # failures of one chunk, or of workers that start, after which the run ends


class ChunkTracker:
    """The state of each chunk; a chunk is known by its number in the call.

    Attributes:
        pending: chunks that are waiting to be given to a worker, in order.
        done: chunks whose result came.
        results: results that were not read yet, by chunk.
        reissued: chunks that were given to a second worker because the first is late.
    """

    def __init__(self, chunks: Sequence[Any]) -> None:
        self._chunks = chunks
        self.pending = deque(range(len(chunks)))
        self.done: set[int] = set()
        self.results: dict[int, Any] = {}
        self.reissued: set[int] = set()
        self._failures: dict[int, int] = {}
        self._seconds: list[float] = []

    @property
    def median(self) -> float:
        """The median of the seconds that a chunk took; 0 while none is done."""
        return statistics.median(self._seconds) if self._seconds else 0.0

    def record(self, number: int, answer: Answer, seconds: float) -> None:
        """Record an answer for a chunk. A chunk that failed or was lost is pending again.

        Raises:
            torch.OutOfMemoryError: the memory of a device ran out.
            FoolingError: the chunk failed for the last time.
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
            self._failures[number] = self._failures.get(number, 0) + 1
            if self._failures[number] >= MAX_FAILURES:
                name = getattr(self._chunks[number], "name", f"chunk {number + 1} of {len(self._chunks)}")
                raise answer.error(f"{name} failed {MAX_FAILURES} times: {answer.value}")
        if number not in self.pending:
            self.pending.appendleft(number)
            self.reissued.discard(number)
