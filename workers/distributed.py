"""The Ray executor: tasks are computed by workers on any number of machines, with the same results as in one
process.

A `Pool` keeps the workers alive, a `Dispatcher` gives them chunks.
"""

from __future__ import annotations

import pickle
import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from workers.actor import Blueprint, Shared
from workers.chunks import ChunkTracker
from workers.cluster import Cluster, Resources
from workers.dispatcher import Dispatcher
from workers.host import Host
from workers.pool import Pool

INLINE_BYTES = 64 * 1024  # what chunks share goes through the object store if it is larger than this


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
        """Start workers, and wait for the first one and for those whose processes run already.

        Args:
            cluster: where the workers run; `close` leaves it.
            blueprint: how each worker makes its host.
            host: the driver's own host, which computes nothing; its classifier is what workers are compared
                with.
            need: the CPU cores and GPUs of one worker.
            count: how many workers; None for as many as the cluster has room for at any time.
            wait: whether to wait for resources that the cluster lacks; if False, they are refused.
            patience: the most seconds that a worker may take for one chunk; then it is ended.
            stopping: when it is set, `map` raises `Interrupted`.
            notify: called with lines that the user should see.

        Raises:
            FoolingError: `wait` is False and the cluster is too small; or workers can't start.
        """
        self._cluster, self._host, self._patience = cluster, host, patience
        self._batch: int | None = None
        self._map_number = 0
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
            undo.pop_all()  # nothing failed, so nothing is undone

    @property
    def workers(self) -> list[dict[str, Any]]:
        """What each worker that is ready says of itself, such as its "node" and "pid";
        `workers.actor.Worker.prepare` has all keys."""
        return [handle.facts for handle in self._pool.ready]

    @property
    def evaluators(self) -> int:
        return self._pool.evaluators

    def log_into(self, folder: Path) -> None:
        self._pool.log_into(folder)

    def halve_batch(self) -> int:
        self._batch = self._host.halve_batch()
        return self._batch

    def map(self, task: str, shared: Any, chunks: Sequence[Any]) -> Generator[Any, None, None]:
        self._map_number += 1
        # What is shared may know how to leave out what no chunk needs.
        packed, sent = shared.packed(chunks) if hasattr(shared, "packed") else (shared, chunks)
        tracker = ChunkTracker(chunks)
        dispatcher = Dispatcher(
            self._pool, tracker, sent, task, self._sendable(packed), self._batch, self._patience
        )
        yield from dispatcher.results()

    def end_workers(self) -> None:
        """End the workers of this executor, and stay in the cluster."""
        self._pool.end_all()

    def close(self) -> None:
        """End the workers and leave the cluster."""
        self.end_workers()
        self._cluster.close()

    def _sendable(self, shared: Any) -> Shared:
        """What all chunks share, pickled if it is small, else put in the object store. An object can say
        about how large it is by an attribute `nbytes`, so that a large one is not pickled first."""
        import ray

        data = pickle.dumps(shared, protocol=5) if getattr(shared, "nbytes", 0) <= INLINE_BYTES else b""
        if 0 < len(data) <= INLINE_BYTES:
            return Shared(self._map_number, data)
        return Shared(self._map_number, [ray.put(shared)])
