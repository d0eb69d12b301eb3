"""The Ray executor: tasks computed by workers on any number of machines, with the results of one process.

A `Pool` knows which workers live, a `Dispatcher` which chunks are due.
"""

from __future__ import annotations

import pickle
import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from workers.actor import Blueprint, Shared
from workers.cluster import Cluster, Resources
from workers.dispatcher import Dispatcher
from workers.host import Host
from workers.pool import Pool
from workers.work import Work

INLINE_BYTES = 64 * 1024  # what is larger goes through the object store


class RayExecutor:
    """Computes tasks on Ray workers; see `workers.protocol.Executor`."""

    def __init__(
        self,
        cluster: Cluster,
        blueprint: Blueprint,
        host: Host,
        need: Resources,
        count: int | None = None,
        *,
        wait: bool = True,
        patience: float = 600.0,
        stopping: threading.Event | None = None,
        notify: Callable[[str], None] | None = None,
    ) -> None:
        """Ask for workers and wait for the first one, and for those that are nearly there.

        Args:
            cluster: where they run; `close` leaves it.
            blueprint: how each makes its host.
            host: the driver's own, which computes nothing: it knows the batch.
            need: what a worker takes.
            count: of workers; None: as many as the cluster has room for, now and later.
            wait: for resources that are not there; False refuses.
            patience: seconds that a chunk may take before its worker is ended.
            stopping: when set, what is under way is cancelled with `Interrupted`.
            notify: called with lines that the user should see.

        Raises:
            FoolingError: `wait` is False and the cluster is too small; or workers can't start.
        """
        self._cluster, self._host, self._patience = cluster, host, patience
        self._batch: int | None = None
        self._turn = 0
        with ExitStack() as undo:
            undo.callback(cluster.close)
            self._pool = Pool(
                cluster,
                blueprint,
                host,
                need,
                count,
                wait=wait,
                stopping=stopping or threading.Event(),
                notify=notify or (lambda _: None),
            )
            undo.callback(self._pool.end_all)
            self._pool.fill()
            undo.pop_all()  # nothing failed

    @property
    def workers(self) -> list[dict[str, Any]]:
        """What the workers that are ready say of themselves (`workers.actor.Worker.prepare`)."""
        return [handle.facts for handle in self._pool.ready]

    @property
    def pids(self) -> list[int]:
        """The processes of the workers that are ready."""
        return [facts["pid"] for facts in self.workers]

    @property
    def evaluators(self) -> int:
        """Chunks computed at once, when all workers are there."""
        return self._pool.evaluators

    def log_into(self, folder: Path) -> None:
        """Let workers write their output in a folder, where they can reach it."""
        self._pool.log_into(folder)

    def halve_batch(self) -> int:
        self._batch = self._host.halve_batch()
        return self._batch

    def map(self, task: str, shared: Any, chunks: Sequence[Any]) -> Generator[Any, None, None]:
        self._turn += 1
        shared, packed = _packed(shared, chunks)
        sent = self._sent(shared)
        yield from Dispatcher(
            self._pool, Work(chunks), packed, task, sent, self._batch, self._patience
        ).results()

    def end_workers(self) -> None:
        """End the workers; others of the cluster stay."""
        self._pool.end_all()

    def close(self) -> None:
        """End the workers and leave the cluster."""
        self.end_workers()
        self._cluster.close()

    def _sent(self, shared: Any) -> Shared:
        """What all chunks share, on its way: inline where it is small, else through the object store."""
        import ray

        data = pickle.dumps(shared, protocol=5) if _size(shared) <= INLINE_BYTES else b""
        if 0 < len(data) <= INLINE_BYTES:
            return Shared(self._turn, data)
        return Shared(self._turn, [ray.put(shared)])


def _packed(shared: Any, chunks: Sequence[Any]) -> tuple[Any, Sequence[Any]]:
    """What travels: only what the chunks need of what they share, where that knows how to leave out the rest."""
    return shared.packed(chunks) if hasattr(shared, "packed") else (shared, chunks)


def _size(shared: Any) -> int:
    """About how many bytes the arrays of what is shared have; 0 where it does not say."""
    return int(getattr(shared, "nbytes", 0))
