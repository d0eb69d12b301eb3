"""The local executor: chunks are computed by threads of this process.

The kernels and the classifier release the interpreter lock, so threads are enough. Each of them computes with
the number of classifier threads that the run has fixed, so results do not depend on how many evaluators there
are.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from fooling.errors import FoolingError, first_line
from workers.actor import is_out_of_memory
from workers.allocator import keep_freed_memory
from workers.host import Host
from workers.tasks import compute


def usable_cores() -> int:
    """The cores that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def default_evaluators(device: str, threads: int) -> int:
    """How many evaluators suit a device, each with `threads` classifier threads. On the CPU they fill the
    cores. On CUDA there are two, so that one varies and renders while the device computes what the other has
    enqueued."""
    return max(1, usable_cores() // threads) if device == "cpu" else 2


def prepare_thread(device: str, threads: int) -> None:
    """Make this thread an evaluator with `threads` classifier threads and, on CUDA, a stream of its own."""
    import torch

    torch.set_num_threads(threads)
    if device != "cpu":
        torch.cuda.synchronize(device)  # wait until the network, which all streams read, has arrived
        torch.cuda.set_stream(torch.cuda.Stream(device))


class LocalExecutor:
    """Computes tasks in this process; see `workers.protocol.Executor`.

    The calling thread is one of the evaluators: it would only wait, and waking another thread costs as much
    as the variation and rendering of a small chunk. A pool has the other threads, which start when they are
    first needed.
    """

    def __init__(self, host: Host, evaluators: int, prepare: Callable[[], None] | None = None) -> None:
        """`evaluators` chunks are computed at once. `prepare` runs once in each thread of the pool, before
        its first chunk."""
        keep_freed_memory()
        self._host, self._prepare = host, prepare or (lambda: None)
        self._helpers = evaluators - 1
        self._pool = ThreadPoolExecutor(max(1, self._helpers), "evaluator")
        self._thread = threading.local()

    @property
    def evaluators(self) -> int:
        return self._helpers + 1

    def log_into(self, folder: Path) -> None:
        pass  # the output of this process is redirected by whoever started it

    def map(self, task: str, shared: Any, chunks: Sequence[Any]) -> Generator[Any, None, None]:
        numbers = iter(range(len(chunks)))  # of the chunks that no thread has taken; next() is atomic
        results: dict[int, Any] = {}
        given, stopped = 0, False

        def computed() -> Iterator[None]:
            for number in numbers:
                if stopped:
                    return
                results[number] = self._computed(task, shared, chunks[number])
                yield

        def help_compute() -> None:
            nonlocal stopped
            try:
                if not hasattr(self._thread, "is_prepared"):
                    self._prepare()
                    self._thread.is_prepared = True
                for _ in computed():
                    pass
            except BaseException:
                stopped = True
                raise

        helpers = [self._pool.submit(help_compute) for _ in range(min(self._helpers, len(chunks) - 1))]
        try:
            for _ in computed():
                while given in results:
                    yield results.pop(given)
                    given += 1
            for helper in helpers:
                helper.result()
            while given in results:
                yield results.pop(given)
                given += 1
        finally:
            stopped = True
            for helper in helpers:
                helper.exception()  # waits until it has ended

    def halve_batch(self) -> int:
        return self._host.halve_batch()

    def close(self) -> None:
        self._pool.shutdown()

    def _computed(self, task: str, shared: Any, chunk: Any) -> Any:
        """The result of a chunk.

        Raises:
            FoolingError: the chunk could not be computed, for whatever reason; the message names it.
            torch.OutOfMemoryError: the memory of the device ran out.
        """
        try:
            return compute(self._host, task, shared, chunk)
        except Exception as error:
            if isinstance(error, FoolingError) or is_out_of_memory(error):
                raise
            name, kind = getattr(chunk, "name", "a chunk"), type(error).__name__
            raise FoolingError(f"{name} failed: {kind}: {first_line(error)}") from error
