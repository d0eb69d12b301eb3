"""The local executor: chunks computed by threads of this process.

The kernels and the classifier release the interpreter lock, so threads are enough. Each computes with the
run's own number of classifier threads, so the results do not depend on how many there are.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterator, Sequence
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import Any

from fooling.errors import FoolingError
from workers.actor import is_out_of_memory
from workers.allocator import keep_freed_memory
from workers.discovery import first_line
from workers.host import Host
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

    def __init__(self, host: Host, evaluators: int, prepare: Callable[[], None] | None = None) -> None:
        """`evaluators` chunks are computed at once; `prepare` runs first in each thread that is started."""
        keep_freed_memory()
        self._host, self._prepare = host, prepare or (lambda: None)
        self._helpers, self._threads = evaluators - 1, list[Thread]()
        self._orders: SimpleQueue[Callable[[], None] | None] = SimpleQueue()  # None: to end

    @property
    def evaluators(self) -> int:
        return self._helpers + 1

    def log_into(self, folder: Path) -> None:
        pass  # what this process prints is the user's own to redirect

    def map(self, task: str, shared: Any, chunks: Sequence[Any]) -> Generator[Any, None, None]:
        helpers = min(self._helpers, len(chunks) - 1)  # one chunk is the caller's own
        while len(self._threads) < helpers:
            self._threads.append(self._started())
        work = _Work(lambda chunk: self._computed(task, shared, chunk), chunks, helpers)
        for _ in range(helpers):
            self._orders.put(work.help)
        yield from work.results()

    def halve_batch(self) -> int:
        return self._host.halve_batch()

    def close(self) -> None:
        for _ in self._threads:
            self._orders.put(None)
        for thread in self._threads:
            thread.join()
        self._threads = []

    def _computed(self, task: str, shared: Any, chunk: Any) -> Any:
        """A chunk's result.

        Raises:
            FoolingError: it could not be computed, for whatever reason; the message names it.
            torch.OutOfMemoryError: a device's memory ran out.
        """
        try:
            return compute(self._host, task, shared, chunk)
        except Exception as error:
            if isinstance(error, FoolingError) or is_out_of_memory(error):
                raise
            name, kind = getattr(chunk, "name", "a chunk"), type(error).__name__
            raise FoolingError(f"{name} failed: {kind}: {first_line(error)}") from error

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
        while (order := self._orders.get()) is not None:
            order()
            del order  # and with it the chunks and results


class _Work:
    """A call to `map`: its chunks, each taken by whoever is free, and what has come of them."""

    def __init__(self, compute: Callable[[Any], Any], chunks: Sequence[Any], helpers: int) -> None:
        self._compute, self._chunks, self._helpers = compute, chunks, helpers
        self._numbers = iter(range(len(chunks)))  # of chunks that nobody has taken; next() is atomic
        self._results: dict[int, Any] = {}
        self._ended: SimpleQueue[BaseException | None] = SimpleQueue()  # an item of each helper
        self._stopped = False

    def help(self) -> None:
        """Compute chunks, in this thread, until none is left or wanted."""
        failure: BaseException | None = None
        try:
            for _ in self._computed():
                pass
        except BaseException as error:
            failure, self._stopped = error, True
        self._ended.put(failure)

    def results(self) -> Generator[Any, None, None]:
        """The results in the order of the chunks; this thread computes some of them."""
        given, busy = 0, self._helpers
        try:
            for _ in self._computed():
                while given in self._results:
                    yield self._results.pop(given)
                    given += 1
            while busy > 0:
                failure = self._ended.get()
                busy -= 1
                if failure is not None:
                    raise failure
            while given < len(self._chunks):
                yield self._results.pop(given)
                given += 1
        finally:
            self._stopped = True
            while busy > 0:
                self._ended.get()
                busy -= 1

    def _computed(self) -> Iterator[None]:
        for number in self._numbers:
            if self._stopped:
                return
            self._results[number] = self._compute(self._chunks[number])
            yield
