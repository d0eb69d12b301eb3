"""The local executor: chunks computed by threads of this process.

The kernels and the classifier release the interpreter lock, so threads are enough. Each computes with the
run's own number of classifier threads, so the results do not depend on how many there are.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

from workers.allocator import keep_freed_memory
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
    of variation and rendering.
    """

    def __init__(self, host: Host, evaluators: int, prepare: Callable[[], None] | None = None) -> None:
        """`evaluators` chunks are computed at once; `prepare` runs first in each thread that is started."""
        keep_freed_memory()
        self._host, self._helpers = host, evaluators - 1
        self._pool = ThreadPoolExecutor(max(1, self._helpers), "evaluator", initializer=prepare)

    @property
    def evaluators(self) -> int:
        return self._helpers + 1

    def log_into(self, folder: Path) -> None:
        pass  # what this process prints is the user's own to redirect

    def map(self, task: str, shared: Any, chunks: Sequence[Any]) -> Iterator[Any]:
        numbers = iter(range(len(chunks)))  # whoever is free takes the next one
        results: dict[int, Any] = {}
        stopped = threading.Event()

        def work() -> Iterator[None]:
            for number in numbers:
                if stopped.is_set():
                    return
                results[number] = compute(self._host, task, shared, chunks[number])
                yield

        helpers = min(self._helpers, len(chunks) - 1)
        futures = [self._pool.submit(deque, work(), 0) for _ in range(helpers)]
        given = 0
        try:
            for _ in work():
                while given in results:
                    yield results.pop(given)
                    given += 1
            for future in futures:
                future.result()
            while given < len(chunks):
                yield results.pop(given)
                given += 1
        finally:
            stopped.set()
            wait(futures)  # when this is over nothing is computed any more, nor holds memory

    def halve_batch(self) -> int:
        return self._host.halve_batch()

    def close(self) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)
