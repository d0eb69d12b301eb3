"""The local executor: chunks computed by threads of this process.

The kernels and the classifier release the interpreter lock, so threads are enough. Each computes with the
run's own number of classifier threads, so the results do not depend on how many there are.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any

from workers.tasks import Host, compute


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
    """Computes tasks in this process; see `workers.protocol.Executor`."""

    def __init__(self, host: Host, evaluators: int, prepare: Callable[[], None] | None = None) -> None:
        """`evaluators` chunks are computed at once; `prepare` runs first in each of their threads."""
        self._host = host
        self._pool = ThreadPoolExecutor(evaluators, "evaluator", initializer=prepare)

    def map(self, task: str, shared: Any, chunks: Sequence[Any]) -> Iterator[Any]:
        futures = [self._pool.submit(compute, self._host, task, shared, chunk) for chunk in chunks]
        try:
            for future in futures:
                yield future.result()
        finally:
            for future in futures:
                future.cancel()
            wait(futures)  # when this is over nothing is computed any more, nor holds memory

    def close(self) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)
