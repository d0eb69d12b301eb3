"""The local executor: chunks computed by threads of this process.

The kernels and the classifier release the interpreter lock, so threads are enough. Each computes with the
run's own number of classifier threads, so the results do not depend on how many there are.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
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
    of variation and rendering. The others are threads of its own, asked through the plainest of queues: between
    forward passes the caches are cold, and a pool's futures and conditions are much code (docs/speed.md).
    """

    def __init__(self, host: Host, evaluators: int, prepare: Callable[[], None] | None = None) -> None:
        """`evaluators` chunks are computed at once; `prepare` runs first in each thread that is started."""
        keep_freed_memory()
        self._host, self._prepare = host, prepare
        self._orders: SimpleQueue[Callable[[BaseException | None], None] | None] = SimpleQueue()
        self._threads = [
            Thread(target=self._help, name=f"evaluator-{number}", daemon=True)
            for number in range(1, evaluators)
        ]

    @property
    def evaluators(self) -> int:
        return len(self._threads) + 1

    def log_into(self, folder: Path) -> None:
        pass  # what this process prints is the user's own to redirect

    def map(self, task: str, shared: Any, chunks: Sequence[Any]) -> Iterator[Any]:
        numbers = iter(range(len(chunks)))  # whoever is free takes the next one
        results: dict[int, Any] = {}
        ended: SimpleQueue[BaseException | None] = SimpleQueue()
        stopped = False

        def work() -> Iterator[None]:
            for number in numbers:
                if stopped:
                    return
                results[number] = compute(self._host, task, shared, chunks[number])
                yield

        def help_out(failure: BaseException | None) -> None:
            try:
                if failure is None:
                    deque(work(), 0)
            except BaseException as error:
                failure = error
            ended.put(failure)

        busy = min(len(self._threads), len(chunks) - 1)
        for thread in self._threads[:busy]:
            if thread.ident is None:
                thread.start()
            self._orders.put(help_out)
        given = 0
        try:
            for _ in work():
                while given in results:
                    yield results.pop(given)
                    given += 1
            while busy > 0:
                error = ended.get()
                busy -= 1
                if error is not None:
                    raise error
            while given < len(chunks):
                yield results.pop(given)
                given += 1
        finally:
            stopped = True
            while busy > 0:  # when this is over nothing is computed any more, nor holds memory
                ended.get()
                busy -= 1

    def _help(self) -> None:
        failure = None  # to prepare: told to all who ask
        try:
            if self._prepare is not None:
                self._prepare()
        except BaseException as error:
            failure = error
        while (order := self._orders.get()) is not None:
            order(failure)
            del order  # and with it the chunks and results

    def halve_batch(self) -> int:
        return self._host.halve_batch()

    def close(self) -> None:
        started = [thread for thread in self._threads if thread.ident is not None]
        for _ in started:
            self._orders.put(None)
        for thread in started:
            thread.join()
