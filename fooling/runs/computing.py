"""What a search has computed for it: an executor, with the answer to memory that runs out."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable, Sequence
from contextlib import closing
from typing import Any

import torch

from fooling.errors import Interrupted, first_line
from workers.protocol import Executor


class Computing:
    """See `fooling.search.protocol.Compute`.

    Where a device's memory runs out, all chunks of the call are computed again with half the physical batch, on
    which last bits depend: a generation has one.
    """

    def __init__(
        self,
        executor: Executor,
        stopping: threading.Event | None = None,
        halved: Callable[[int, str], None] = lambda batch, reason: None,
    ) -> None:
        """
        Args:
            stopping: when it is set, what is under way is given up with `Interrupted`.
            halved: called with the physical batch as it is after it was halved, and why it was.
        """
        self._executor, self._halved = executor, halved
        self._stopping = stopping or threading.Event()

    def __call__(self, task: str, shared: Any, chunks: Sequence[Any]) -> list[Any]:
        while True:
            try:
                return self._results(task, shared, chunks)
            except torch.OutOfMemoryError as error:
                reason = first_line(error)
            gc.collect()  # what the failed pass held hangs on its traceback
            torch.cuda.empty_cache()
            self._halved(self._executor.halve_batch(), reason)

    def _results(self, task: str, shared: Any, chunks: Sequence[Any]) -> list[Any]:
        results = []
        with closing(self._executor.map(task, shared, chunks)) as under_way:
            for result in under_way:
                if self._stopping.is_set():
                    raise Interrupted
                results.append(result)
        return results
