"""What a search has computed for it: an executor, with the answer to memory that runs out."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable, Sequence
from typing import Any

import torch

from workers.protocol import Executor, Interrupted


class Computing:
    """See `fooling.search.protocol.Compute`.

    Where a device's memory runs out, everything under way is computed again with half the physical batch, on
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
            stopping: when set, what is under way is given up with `Interrupted`.
            halved: called with the physical batch as it is after it was halved, and why it was.
        """
        self._executor, self._halved = executor, halved
        self._stopping = stopping or threading.Event()
        self._under_way: list[Begun] = []

    @property
    def looks_ahead(self) -> bool:
        return self._executor.looks_ahead

    def __call__(self, task: str, shared: Any, chunks: Sequence[Any]) -> list[Any]:
        return self.begin(task, shared, chunks).results()

    def begin(self, task: str, shared: Any, chunks: Sequence[Any]) -> Begun:
        begun = Begun(self, lambda: self._executor.map(task, shared, chunks))
        self._under_way.append(begun)
        return begun

    def close(self) -> None:
        """Give up what is under way."""
        for begun in list(self._under_way):
            begun.close()

    def collect(self, begun: Begun) -> list[Any]:
        """The results of what was begun; see `Begun.results`."""
        while True:
            try:
                results = self._read(begun)
                self.forget(begun)
                return results
            except torch.OutOfMemoryError as error:
                reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
            for other in self._under_way:
                other.stop()
            gc.collect()  # what the failed pass held hangs on its traceback
            torch.cuda.empty_cache()
            self._halved(self._executor.halve_batch(), reason)
            for other in self._under_way:
                other.start()

    def forget(self, begun: Begun) -> None:
        """It is over."""
        self._under_way = [other for other in self._under_way if other is not begun]

    def _read(self, begun: Begun) -> list[Any]:
        results, stopping = [], self._stopping
        for result in begun.iterator:
            if stopping.is_set():
                raise Interrupted
            results.append(result)
        return results


class Begun:
    """See `fooling.search.protocol.Begun`."""

    def __init__(self, computing: Computing, call: Callable[[], Any]) -> None:
        self._computing, self._call = computing, call
        self.start()

    def start(self) -> None:
        """Have it computed, from the beginning."""
        self.iterator = self._call()

    def stop(self) -> None:
        """Have it computed no further."""
        self.iterator.close()

    def results(self) -> list[Any]:
        try:
            return self._computing.collect(self)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        self.stop()
        self._computing.forget(self)
