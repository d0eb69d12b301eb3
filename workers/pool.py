"""The Ray workers of an executor: which are ready, which are starting, which are missing, and what they
answer.

A worker that died is replaced, on any node that has room.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from fooling.errors import FoolingError, Interrupted, first_line
from workers.actor import Answer, Blueprint, Worker
from workers.capacity import free_shortage, refusal, total_shortage
from workers.chunks import MAX_FAILURES
from workers.cluster import Cluster, Resources
from workers.host import Host

MAX_DEATHS = (
    30  # deaths of starting workers, after which the run ends; more than failures, since others may kill them
)
POLL_SECONDS = 0.2  # the time between two looks at the clock and at whether the user wants to stop
NOTICE_SECONDS = 60.0  # the time after which a line about waiting is repeated
PLACE_SECONDS = 30.0  # the most that Ray takes to place a worker and start its process, where there is room
TOGETHER_SECONDS = 10.0  # the most that the first worker waits for others whose processes run already
START_SECONDS = 600.0  # the most that a worker may take to make its host


@dataclass(eq=False)
class Call:
    """A chunk that was given to a worker.

    Attributes:
        ref: Ray's reference to the answer.
        chunk: the number of the chunk in its `map`.
        map_number: the number of the `map`.
        began: about when the worker began with the chunk: when it became the oldest of the worker's calls.
    """

    ref: Any
    chunk: int
    map_number: int
    began: float


@dataclass(eq=False)
class WorkerHandle:
    """One worker as the driver sees it.

    Attributes:
        actor: Ray's handle.
        placement: a call that answers when the worker has a place and a process; None when it has answered.
        preparation: the call that makes the worker's host; None when it has answered.
        since: when the worker was asked for, and, once it has its place, when it got that.
        calls: the chunks that it was given and has not answered, oldest first. Those of an earlier `map` were
            answered by another worker first.
        facts: what the worker says of itself (`workers.actor.Worker.prepare`).
    """

    actor: Any
    placement: Any
    preparation: Any
    since: float = field(default_factory=time.monotonic)
    calls: deque[Call] = field(default_factory=deque)
    facts: dict[str, Any] = field(default_factory=dict)


class Pool:
    """Workers on a cluster, as many as are asked for and there is room for."""

    def __init__(
        self,
        cluster: Cluster,
        blueprint: Blueprint,
        host: Host,
        need: Resources,
        count: int | None,
        *,
        wait: bool,
        stopping: threading.Event,
        notify: Callable[[str], None],
    ) -> None:
        """Start no worker yet; `fill` does that. The arguments are those of
        `workers.distributed.RayExecutor`.

        Raises:
            FoolingError: `wait` is False and the cluster is too small; or the blueprint can't be sent.
        """
        import ray

        self._ray, self._cluster, self._classifier = ray, cluster, host.classifier
        self._need, self._count, self._wait = need, count, wait
        self._stopping, self._notify = stopping, notify
        self._handles: list[WorkerHandle] = []
        self._failed_starts = 0
        self._logs: Path | None = None
        self._noticed: tuple[str, float] = ("", 0.0)  # the last line for the user, and when that was
        self._looked = 0.0  # when missing workers were looked for
        self._actor_class: Any = ray.remote(
            num_cpus=need.cpus, num_gpus=need.gpus, max_restarts=0, max_task_retries=0
        )(Worker)
        self._blueprint = _sent(blueprint)
        if not wait and (shortage := total_shortage(cluster, need, count or 1)):
            raise FoolingError(refusal(cluster, shortage))

    @property
    def ready(self) -> list[WorkerHandle]:
        """The workers that have a host."""
        return [handle for handle in self._handles if handle.preparation is None]

    @property
    def busy(self) -> list[WorkerHandle]:
        """The workers that have been given chunks and not answered them."""
        return [handle for handle in self._handles if handle.calls]

    @property
    def evaluators(self) -> int:
        """How many chunks are computed at once when all workers are ready."""
        return self._count or max(1, self._cluster.room(self._need))

    def fill(self) -> None:
        """Start workers, and wait for the first one and for those whose processes run already.

        Raises:
            FoolingError: workers can't start.
            Interrupted: `stopping` was set.
        """
        together = None
        while together is None or (self._is_preparing() and time.monotonic() < together):
            self.replace_missing()
            self.answers(POLL_SECONDS)
            if self.ready and together is None:
                together = time.monotonic() + TOGETHER_SECONDS

    def log_into(self, folder: Path) -> None:
        """Have workers write what they print to files in a folder, if their machines have that folder."""
        self._logs = folder
        for handle in self.ready:
            handle.actor.log_into.remote(str(folder))

    def replace_missing(self) -> None:
        """Ask for missing workers, and tell the user what is waited for. A call within POLL_SECONDS of the
        last one does nothing.

        Raises:
            FoolingError: workers can't start; or there is no room, and the user does not want to wait.
        """
        now = time.monotonic()
        complete = self._count is not None and len(self.ready) == self._count
        if complete or now - self._looked < POLL_SECONDS:
            return
        self._looked = now
        for handle in list(self._handles):
            preparing = handle.preparation is not None and handle.placement is None
            if preparing and now - handle.since > START_SECONDS:
                self.end(handle)
                self._count_failed_start(Answer("failed", f"no answer within {START_SECONDS:g} s"))
        wanted = self.evaluators
        while len(self._handles) < wanted:
            actor = self._actor_class.remote()
            self._handles.append(
                WorkerHandle(actor, actor.__ray_ready__.remote(), actor.prepare.remote(self._blueprint))
            )
        waiting = sum(
            handle.placement is not None and now - handle.since > PLACE_SECONDS for handle in self._handles
        )
        need = (self._cluster, self._need)
        shortage = total_shortage(*need, wanted) or free_shortage(*need, waiting)
        if shortage and not self.ready and not self._wait:
            raise FoolingError(refusal(self._cluster, shortage))
        if shortage:
            some = f"; going on with {len(self.ready)} of {wanted} workers" if self.ready else ""
            self._tell(f"waiting for {shortage}", some, now)

    def answers(self, seconds: float) -> list[tuple[Call, Answer]]:
        """The answers that come within so many seconds. This also notes which workers became ready, and
        removes those that died; their chunks are answered as failed or lost.

        Raises:
            FoolingError: workers can't start, or one has another classifier.
            Interrupted: `stopping` was set.
        """
        if self._stopping.is_set():
            raise Interrupted
        owners = {handle.preparation: handle for handle in self._handles if handle.preparation is not None}
        owners |= {handle.placement: handle for handle in self._handles if handle.placement is not None}
        owners |= {call.ref: handle for handle in self._handles for call in handle.calls}
        if not owners:
            self._stopping.wait(seconds)
            return []
        refs = list(owners)
        ready, rest = self._ray.wait(refs, num_returns=1, timeout=seconds)
        if ready and rest:
            ready += self._ray.wait(rest, num_returns=len(rest), timeout=0)[0]
        answers: list[tuple[Call, Answer]] = []
        dead = []
        for ref in ready:
            handle = owners[ref]
            try:
                answer = self._ray.get(ref)
            except self._ray.exceptions.RayError as error:
                dead.append((handle, error))  # removed last: other calls of it may have answers
                continue
            if ref == handle.preparation:
                self._prepared(handle, answer)
                continue
            call = next((call for call in handle.calls if call.ref == ref), None)
            if call is None:
                handle.placement, handle.since = None, time.monotonic()
                continue
            handle.calls.remove(call)
            if handle.calls:
                handle.calls[0].began = time.monotonic()
            answers.append((call, answer))
        for handle, death in dead:
            answers += self._died(handle, death)
        return answers

    def end(self, handle: WorkerHandle) -> None:
        """End one worker."""
        self._handles.remove(handle)
        self._ray.kill(handle.actor)

    def end_all(self) -> None:
        """End all workers of this pool."""
        for handle in self._handles:
            self._ray.kill(handle.actor)
        self._handles = []

    def _is_preparing(self) -> bool:
        """Whether a worker has its process and is making its host."""
        return any(handle.preparation is not None and handle.placement is None for handle in self._handles)

    def _prepared(self, handle: WorkerHandle, answer: Answer) -> None:
        """Note that a worker has made its host, or could not."""
        if answer.kind != "done":
            self.end(handle)
            self._count_failed_start(answer)
            return
        handle.preparation, handle.placement, handle.facts = None, None, answer.value
        self._failed_starts = 0
        self._expect_same(handle.facts)
        if self._logs is not None:
            handle.actor.log_into.remote(str(self._logs))

    def _died(self, handle: WorkerHandle, error: Exception) -> list[tuple[Call, Answer]]:
        """Remove a worker that died. Returns the answers for its chunks: the one that it was computing has
        failed, because it may be why the worker died; the others are lost. If the whole node failed, all of
        them are lost."""
        if handle not in self._handles:
            return []
        self.end(handle)  # it may still be alive and only out of reach
        node_failed = _is_of_its_node(error)
        reason = f"its worker died ({type(error).__name__})"
        if handle.preparation is not None and not node_failed:
            self._count_failed_start(Answer("failed", reason), MAX_DEATHS)
        return answers_of_ended(handle, reason, "lost" if node_failed else "failed")

    def _expect_same(self, facts: dict[str, Any]) -> None:
        """Refuse a worker whose classifier is not the driver's.

        Raises:
            FoolingError: the fingerprints differ.
            InvalidError: the fingerprints are the same, but the answers differ.
        """
        classifier = self._classifier
        expected = classifier.fingerprint if classifier else ""
        where = f"the classifier of the worker on {facts['node']} is another one than here"
        if facts["fingerprint"] != expected:
            raise FoolingError(
                f"{where}: its fingerprint is {facts['fingerprint'][:12]}, expected {expected[:12]}; give all "
                "machines the same files"
            )
        if classifier:
            given = facts.pop("answers")  # too large to keep, with thousands of workers and classes
            classifier.expect_answers(given, where)

    def _count_failed_start(self, answer: Answer, most: int = MAX_FAILURES) -> None:
        """Count a worker that could not start.

        Raises:
            FoolingError: `most` workers could not start, one after the other.
        """
        self._failed_starts += 1
        if self._failed_starts >= most:
            raise answer.error(f"workers can't start: {answer.value}")

    def _tell(self, line: str, rest: str, now: float) -> None:
        """Tell the user a line and its rest, unless the same line was told less than NOTICE_SECONDS ago."""
        if line != self._noticed[0] or now - self._noticed[1] > NOTICE_SECONDS:
            self._notify(line + rest)
            self._noticed = (line, now)


def answers_of_ended(
    handle: WorkerHandle, reason: str, first: Literal["failed", "lost"]
) -> list[tuple[Call, Answer]]:
    """The answers for the calls of a worker that ended: the oldest call is `first`, the waiting ones are
    lost."""
    kinds: list[Literal["failed", "lost"]] = [first, *["lost"] * len(handle.calls)]  # type: ignore[list-item]
    return [(call, Answer(kind, reason)) for call, kind in zip(handle.calls, kinds, strict=False)]


def _sent(blueprint: Blueprint) -> Any:
    """Put a blueprint in the object store. Returns the reference.

    Raises:
        FoolingError: the blueprint has something that can't be sent to another process.
    """
    import ray

    try:
        return ray.put(blueprint)
    except Exception as error:  # pickling a user's object can raise anything
        raise FoolingError(
            f"what the run was given from Python can't be sent to Ray workers: {first_line(error)}"
        ) from error


def _is_of_its_node(error: Exception) -> bool:
    """Whether a worker died, or can't be reached, because its node failed."""
    from ray.exceptions import ActorUnavailableError

    return isinstance(error, ActorUnavailableError) or "node has died" in str(error)
