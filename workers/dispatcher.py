"""The dispatcher of one call to a Ray executor's `map`: which chunks are due, and which worker gets them.

Each worker has at most two chunks: one that it computes and one that waits for it. A chunk that is lost with its
worker is issued again, and so is, to a worker with nothing to do, a chunk that takes suspiciously long: tasks are
pure, and the first answer counts.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Sequence
from typing import Any

from workers.actor import Shared
from workers.pool import POLL_SECONDS, Call, Pool, WorkerHandle, answers_of_ended
from workers.work import Work

DEPTH = 2  # chunks at a worker, at most
LATE = 4.0  # times the median of its kind: a chunk that takes longer is issued again
LATE_SECONDS = 2.0  # but not before so long


class Dispatcher:
    """Has the workers of a pool compute chunks."""

    def __init__(
        self,
        pool: Pool,
        work: Work,
        chunks: Sequence[Any],
        task: str,
        shared: Shared,
        batch: int | None,
        patience: float,
    ) -> None:
        """
        Args:
            work: what is known of each chunk.
            chunks: as they travel to the workers.
            task: the name of a registered task.
            shared: what all chunks read; its number is that of the `map`.
            batch: the physical batch of the run by now; None where it was never halved.
            patience: seconds that a chunk may take before its worker is ended.
        """
        self._pool, self._work, self._chunks = pool, work, chunks
        self._task, self._shared, self._batch, self._patience = task, shared, batch, patience

    def results(self) -> Generator[Any, None, None]:
        """The results in the order of the chunks.

        Raises:
            torch.OutOfMemoryError: a device's memory ran out.
            FoolingError: a chunk failed for the last time, or workers can't start.
            Interrupted: the user asked to stop.
        """
        work, given = self._work, 0
        while given < len(self._chunks):
            self._pool.replace_missing()
            self._issue()
            for call, answer in self._pool.answers(POLL_SECONDS):
                if self._is_mine(call):
                    work.take(call.number, answer, time.monotonic() - call.began)
            while given in work.results:
                yield work.results.pop(given)
                given += 1
            self._end_hanging()

    def _is_mine(self, call: Call) -> bool:
        return call.turn == self._shared.number

    def _issue(self) -> None:
        """Give chunks to workers: one to each that has none; a second one where there is one for everybody; then
        the late ones once more."""
        work, ready = self._work, self._pool.ready
        for handle in [handle for handle in ready if not handle.calls]:
            number = work.next() if work.pending else self._late()
            if number is not None:
                self._call(handle, number)
        for depth in range(1, DEPTH):
            short = [handle for handle in ready if len(handle.calls) == depth]
            if len(work.pending) < len(ready):
                break
            for handle in short:
                if work.pending:
                    self._call(handle, work.next())

    def _call(self, handle: WorkerHandle, number: int) -> None:
        ref = handle.actor.compute.remote(self._task, self._shared, self._chunks[number], self._batch)
        handle.calls.append(Call(ref, number, self._shared.number, time.monotonic()))

    def _late(self) -> int | None:
        """A chunk that takes so much longer than others that it is worth computing twice."""
        work = self._work
        limit = max(LATE_SECONDS, LATE * work.median) if work.median else self._patience
        now = time.monotonic()
        for handle in self._pool.busy:
            for call in handle.calls:
                late = self._is_mine(call) and now - call.began > limit
                if late and call.number not in work.reissued and call.number not in work.done:
                    work.reissued.add(call.number)
                    return call.number
        return None

    def _end_hanging(self) -> None:
        """End workers that have been at a chunk for too long."""
        now = time.monotonic()
        for handle in self._pool.busy:
            if now - handle.calls[0].began > self._patience:
                self._pool.end(handle)
                reason = f"no answer within {self._patience:g} s (run.patience)"
                for call, answer in answers_of_ended(handle, reason, "failed"):
                    if self._is_mine(call):
                        self._work.take(call.number, answer, 0.0)
