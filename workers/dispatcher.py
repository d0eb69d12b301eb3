"""The dispatcher of one call to a Ray executor's `map`: which worker gets which chunk, and when.

A worker has at most two chunks: one that it computes and one that waits for it. Tasks are pure, so a chunk
can be computed twice and the first answer counts: a chunk that was lost with its worker is issued again, and
so is, to an idle worker, a chunk that takes much longer than others.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Sequence
from typing import Any

from workers.actor import Shared
from workers.chunks import ChunkTracker
from workers.pool import POLL_SECONDS, Call, Pool, WorkerHandle, answers_of_ended

DEPTH = 2  # the most chunks that a worker has
LATE = 4.0  # a chunk is late after so many times the median of its kind
LATE_SECONDS = 2.0  # but not before so many seconds


class Dispatcher:
    """Has the workers of a pool compute chunks."""

    def __init__(
        self,
        pool: Pool,
        tracker: ChunkTracker,
        chunks: Sequence[Any],
        task: str,
        shared: Shared,
        batch: int | None,
        patience: float,
    ) -> None:
        """
        Args:
            tracker: the state of each chunk.
            chunks: the chunks in the form in which they are sent to workers.
            task: the name of a registered task.
            shared: what all chunks read.
            batch: the physical batch that the run has now; None if it was never halved.
            patience: the most seconds that a worker may take for one chunk; then it is ended.
        """
        self._pool, self._tracker, self._chunks = pool, tracker, chunks
        self._task, self._shared, self._batch, self._patience = task, shared, batch, patience

    def results(self) -> Generator[Any, None, None]:
        """The results, in the order of the chunks.

        Raises:
            torch.OutOfMemoryError: the memory of a device ran out.
            FoolingError: a chunk failed for the last time, or workers can't start.
            Interrupted: the user asked to stop.
        """
        tracker, given = self._tracker, 0
        while given < len(self._chunks):
            self._pool.replace_missing()
            self._issue()
            for call, answer in self._pool.answers(POLL_SECONDS):
                if self._is_current(call):
                    tracker.record(call.chunk, answer, time.monotonic() - call.began)
            while given in tracker.results:
                yield tracker.results.pop(given)
                given += 1
            self._end_hanging()

    def _is_current(self, call: Call) -> bool:
        """Whether a call belongs to this `map`, not to an earlier one."""
        return call.map_number == self._shared.map_number

    def _issue(self) -> None:
        """Give chunks to workers: first one to each idle worker, which may be a late chunk of another worker;
        then a second one to each worker, if there are enough for all."""
        pending, ready = self._tracker.pending, self._pool.ready
        for handle in [handle for handle in ready if not handle.calls]:
            number = pending.popleft() if pending else self._late()
            if number is not None:
                self._call(handle, number)
        for depth in range(1, DEPTH):
            short = [handle for handle in ready if len(handle.calls) == depth]
            if len(pending) < len(ready):
                break
            for handle in short:
                if pending:
                    self._call(handle, pending.popleft())

    def _call(self, handle: WorkerHandle, number: int) -> None:
        ref = handle.actor.compute.remote(self._task, self._shared, self._chunks[number], self._batch)
        handle.calls.append(Call(ref, number, self._shared.map_number, time.monotonic()))

    def _late(self) -> int | None:
        """A chunk that is late and was not reissued yet, which counts as reissued from now on; None if there
        is none."""
        tracker = self._tracker
        limit = max(LATE_SECONDS, LATE * tracker.median) if tracker.median else self._patience
        now = time.monotonic()
        for handle in self._pool.busy:
            for call in handle.calls:
                late = self._is_current(call) and now - call.began > limit
                if late and call.chunk not in tracker.reissued and call.chunk not in tracker.done:
                    tracker.reissued.add(call.chunk)
                    return call.chunk
        return None

    def _end_hanging(self) -> None:
        """End the workers that have computed one chunk for longer than `patience`."""
        now = time.monotonic()
        for handle in self._pool.busy:
            if now - handle.calls[0].began > self._patience:
                self._pool.end(handle)
                reason = f"no answer within {self._patience:g} s (run.patience)"
                for call, answer in answers_of_ended(handle, reason, "failed"):
                    if self._is_current(call):
                        self._tracker.record(call.chunk, answer, 0.0)
