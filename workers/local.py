"""The local executor: chunks computed by threads of this process.

The kernels and the classifier release the interpreter lock, so threads are enough. Each computes with the
run's own number of classifier threads, so the results do not depend on how many there are.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from queue import SimpleQueue
from threading import Lock, Thread
from typing import Any

from workers.allocator import keep_freed_memory
from workers.host import Host
from workers.protocol import Results
from workers.tasks import compute


def usable_cores() -> int:
    """The cores that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def default_evaluators(device: str, threads: int) -> int:
    """How many evaluators of so many threads suit a device. On the CPU they fill the cores; on CUDA there are
    two, so that one varies and renders while the device computes what the other has enqueued."""
    return max(1, usable_cores() // threads) if device == "cpu" else 2


def prepare_thread(device: str, threads: int) -> None:
    """Make this thread an evaluator: with so many classifier threads and, on CUDA, a stream of its own."""
    import torch

    torch.set_num_threads(threads)
    if device != "cpu":
        torch.cuda.synchronize(device)  # the network, which all streams read, is there
        torch.cuda.set_stream(torch.cuda.Stream(device))


class LocalExecutor:
    """Computes tasks in this process; see `workers.protocol.Executor`.

    The calling thread is one of the evaluators: it would only wait, and waking another costs a chunk's worth
    of variation and rendering. The others are threads of its own, woken through the plainest of queues: between
    forward passes the caches are cold, and a pool's futures and conditions are much code (docs/speed.md).
    """

    def __init__(
        self,
        host: Host,
        evaluators: int,
        prepare: Callable[[], None] | None = None,
        looks_ahead: bool = True,
    ) -> None:
        """`evaluators` chunks are computed at once; `prepare` runs first in each thread that is started. Where
        what may turn out not to be needed is dear, it should not look ahead."""
        keep_freed_memory()
        self._host, self._prepare = host, prepare or (lambda: None)
        self._helpers, self._threads = evaluators - 1, list[Thread]()
        self._looks_ahead = looks_ahead and self._helpers > 0
        self._work: tuple[_Work, ...] = ()  # under way, oldest first; replaced, never changed
        self._wake: SimpleQueue[bool] = SimpleQueue()  # False: to end

    @property
    def evaluators(self) -> int:
        return self._helpers + 1

    @property
    def looks_ahead(self) -> bool:
        return self._looks_ahead

    def log_into(self, folder: Path) -> None:
        pass  # what this process prints is the user's own to redirect

    def map(self, task: str, shared: Any, chunks: Sequence[Any]) -> Results:
        helpers = min(self._helpers, len(chunks) - (0 if self._work else 1))  # one chunk is the caller's own
        while len(self._threads) < helpers:
            self._threads.append(self._started())
        work = _Work(self, lambda chunk: compute(self._host, task, shared, chunk), chunks)
        self._work = (*self._work, work)
        for _ in range(helpers):
            self._wake.put(True)
        return work

    def halve_batch(self) -> int:
        return self._host.halve_batch()

    def close(self) -> None:
        for work in self._work:
            work.close()
        for _ in self._threads:
            self._wake.put(False)
        for thread in self._threads:
            thread.join()
        self._threads = []

    def advance(self) -> bool:
        """Compute one chunk of the oldest work that has any left, in this thread; False: none has."""
        return any(work.advance() for work in self._work)

    def forget(self, over: _Work) -> None:
        """A work is over."""
        self._work = tuple(work for work in self._work if work is not over)

    def _started(self) -> Thread:
        """Another evaluator, prepared.

        Raises:
            whatever `prepare` raises.
        """
        prepared: SimpleQueue[BaseException | None] = SimpleQueue()
        name = f"evaluator-{len(self._threads) + 1}"
        thread = Thread(target=self._help, args=(prepared,), name=name, daemon=True)
        thread.start()
        if (failure := prepared.get()) is not None:
            thread.join()
            raise failure
        return thread

    def _help(self, prepared: SimpleQueue[BaseException | None]) -> None:
        try:
            self._prepare()
        except BaseException as failure:
            prepared.put(failure)
            return
        prepared.put(None)
        while self._wake.get():
            while self.advance():
                pass


class _Work(Iterator[Any]):
    """A call to `map`: its chunks, each taken by whoever is free, and what has come of them."""

    def __init__(self, executor: LocalExecutor, compute: Callable[[Any], Any], chunks: Sequence[Any]) -> None:
        self._executor, self._compute, self._chunks = executor, compute, chunks
        self._results: dict[int, Any] = {}
        self._failure: BaseException | None = None
        self._lock = Lock()
        self._taken, self._over, self._given, self._closed = 0, 0, 0, False
        self._news: SimpleQueue[None] = SimpleQueue()  # an item for each chunk that is over

    def advance(self) -> bool:
        """Compute the next chunk, in this thread; False: there is none, or none that anybody wants."""
        with self._lock:
            number = self._taken
            if self._closed or self._failure is not None or number == len(self._chunks):
                return False
            self._taken += 1
        try:
            self._results[number] = self._compute(self._chunks[number])
        except KeyboardInterrupt as error:  # of whoever waits, not of this call
            self._failure = error
            raise
        except BaseException as error:
            self._failure = error
        finally:
            with self._lock:
                self._over += 1
            self._news.put(None)
        return True

    def __next__(self) -> Any:
        while self._given not in self._results:
            if (failure := self._failure) is not None:
                self.close()
                raise failure
            if self._closed or self._given == len(self._chunks):
                self._executor.forget(self)
                raise StopIteration
            if not self._executor.advance():
                self._news.get()
        self._given += 1
        return self._results.pop(self._given - 1)

    def close(self) -> None:
        with self._lock:
            self._closed = True
        while self._over < self._taken:
            self._news.get()
        self._results.clear()
        self._failure = None  # memory hangs on its traceback
        self._executor.forget(self)
