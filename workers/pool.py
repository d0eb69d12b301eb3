"""The pool of an executor's Ray workers: which live, which start, which are missing, and what they answer.

A worker that died is replaced, wherever there is room.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from fooling.errors import FoolingError
from workers.actor import Answer, Blueprint, Worker
from workers.capacity import lacking, refusal, taken
from workers.cluster import Cluster, Resources
from workers.discovery import first_line
from workers.host import Host
from workers.protocol import Interrupted
from workers.work import MAX_FAILURES

MAX_DEATHS = 30  # the same for workers that die at their start without a word: something may be killing them
POLL_SECONDS = 0.2  # between looks at the clock and at the user's wish to stop
NOTICE_SECONDS = 60.0  # between repeated lines about waiting
PLACE_SECONDS = 30.0  # that Ray takes at most to place a worker and start its process, where there is room
TOGETHER_SECONDS = 10.0  # that the first worker waits for others whose processes are there
START_SECONDS = 600.0  # that a worker may take to make its host


@dataclass(eq=False)
class Call:
    """A chunk at a worker.

    Attributes:
        ref: Ray's reference to the answer.
        number: the chunk's number in its `map`.
        turn: the number of the `map`.
        began: when the chunk became the oldest of its worker's calls: about when the worker began it.
    """

    ref: Any
    number: int
    turn: int
    began: float


@dataclass(eq=False)
class WorkerHandle:
    """One worker as the driver sees it.

    Attributes:
        actor: Ray's handle of it.
        placement: a call that answers when Ray has found a place for the worker; None when that is done.
        preparation: the call that makes the worker's host; None when that is done.
        since: when the worker was asked for; then, when it got its place.
        calls: the chunks that it was given and has not answered, oldest first. Those of an earlier `map` are leftovers:
            another worker was quicker with them.
        facts: what the worker says of itself (`workers.actor.Worker.prepare`).
    """

    actor: Any
    placement: Any
    preparation: Any
    since: float = field(default_factory=time.monotonic)
    calls: deque[Call] = field(default_factory=deque)
    facts: dict[str, Any] = field(default_factory=dict)


class Pool:
    """Workers on a cluster, as many as are asked for and have room."""

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
        """Nobody is asked for yet; `fill` does that. The arguments are those of `workers.distributed.RayExecutor`.

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
        self._noticed: tuple[str, float] = ("", 0.0)
        self._looked = 0.0
        self._actor_class: Any = ray.remote(
            num_cpus=need.cpus, num_gpus=need.gpus, max_restarts=0, max_task_retries=0
        )(Worker)
        self._blueprint = _sent(blueprint)
        if not wait and (shortage := lacking(cluster, need, count or 1)):
            raise FoolingError(refusal(cluster, shortage))

    @property
    def ready(self) -> list[WorkerHandle]:
        """The workers that have made their hosts."""
        return [handle for handle in self._handles if handle.preparation is None]

    @property
    def busy(self) -> list[WorkerHandle]:
        """The workers that have chunks."""
        return [handle for handle in self._handles if handle.calls]

    @property
    def evaluators(self) -> int:
        """Chunks computed at once, when all workers are there."""
        return self._count or max(1, self._cluster.room(self._need))

    def fill(self) -> None:
        """Wait for the first worker, and for those that are nearly there.

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
        """Let workers write their output in a folder, where they can reach it."""
        self._logs = folder
        for handle in self.ready:
            handle.actor.log_into.remote(str(folder))

    def replace_missing(self) -> None:
        """Ask for the workers that are missing, and say what is waited for. Between two looks at the cluster some time
        passes; a call in between does nothing.

        Raises:
            FoolingError: workers can't start; or there is no room, and it is not to be waited for.
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
        shortage = lacking(self._cluster, self._need, wanted) or taken(self._cluster, self._need, waiting)
        if shortage and not self.ready and not self._wait:
            raise FoolingError(refusal(self._cluster, shortage))
        if shortage:
            some = f"; going on with {len(self.ready)} of {wanted} workers" if self.ready else ""
            self._tell(f"waiting for {shortage}", some, now)

    def answers(self, seconds: float) -> list[tuple[Call, Answer]]:
        """The answers that come within some time. Workers that became ready or died meanwhile are seen to; the chunks
        of those that died are answered as failed or lost.

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
                dead.append((handle, error))  # its other calls may have been answered before
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
        """End a worker."""
        self._handles.remove(handle)
        self._ray.kill(handle.actor)

    def end_all(self) -> None:
        """End all workers of this pool."""
        for handle in self._handles:
            self._ray.kill(handle.actor)
        self._handles = []

    def _is_preparing(self) -> bool:
        """Whether some worker has its process and makes its host."""
        return any(handle.preparation is not None and handle.placement is None for handle in self._handles)

    def _prepared(self, handle: WorkerHandle, answer: Answer) -> None:
        """A worker has made its host, or failed to."""
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
        """A worker died: its place is free, and its chunks are answered as failed or lost. Only the chunk that it was
        computing may have been the reason; none is, where the whole node went."""
        if handle not in self._handles:
            return []
        self.end(handle)  # where it only can't be reached, it must not go on
        node_failed = _is_of_its_node(error)
        reason = f"its worker died ({type(error).__name__})"
        if handle.preparation is not None and not node_failed:
            self._count_failed_start(Answer("failed", reason), MAX_DEATHS)
        return answers_of_ended(handle, reason, "lost" if node_failed else "failed")

    def _expect_same(self, facts: dict[str, Any]) -> None:
        """Refuse a worker whose classifier is another one than the driver's.

        Raises:
            FoolingError: its fingerprint is another; InvalidError: it is the same, but the answers are not.
        """
        classifier = self._classifier
        expected = classifier.fingerprint if classifier else ""
        where = f"the classifier of the worker on {facts['node']} is another one than here"
        if facts["fingerprint"] != expected:
            raise FoolingError(
                f"{where}: its fingerprint is {facts['fingerprint'][:12]}, expected {expected[:12]}; give all machines "
                "the same files"
            )
        if classifier:
            given = facts.pop("answers")  # of thousands of workers and classes: too much to keep
            classifier.expect_answers(given, where)

    def _count_failed_start(self, answer: Answer, most: int = MAX_FAILURES) -> None:
        """Count a worker that could not start.

        Raises:
            FoolingError: so many could not, one after the other.
        """
        self._failed_starts += 1
        if self._failed_starts >= most:
            raise answer.error(f"workers can't start: {answer.value}")

    def _tell(self, line: str, rest: str, now: float) -> None:
        """Tell the user, unless the same line was told a moment ago; another `rest` of it is no news."""
        if line != self._noticed[0] or now - self._noticed[1] > NOTICE_SECONDS:
            self._notify(line + rest)
            self._noticed = (line, now)


def answers_of_ended(
    handle: WorkerHandle, reason: str, first: Literal["failed", "lost"]
) -> list[tuple[Call, Answer]]:
    """What the calls of a worker that ended come to: the oldest is `first`, those that were waiting are lost."""
    kinds: list[Literal["failed", "lost"]] = [first, *["lost"] * len(handle.calls)]  # type: ignore[list-item]
    return [(call, Answer(kind, reason)) for call, kind in zip(handle.calls, kinds, strict=False)]


def _sent(blueprint: Blueprint) -> Any:
    """A reference to a blueprint in the object store.

    Raises:
        FoolingError: it holds something that can't be sent to another process.
    """
    import ray

    try:
        return ray.put(blueprint)
    except Exception as error:  # whatever the pickling of a user's object raises
        raise FoolingError(
            f"what the run was given from Python can't be sent to Ray workers: {first_line(error)}"
        ) from error


def _is_of_its_node(error: Exception) -> bool:
    """Whether a worker died, or can't be reached, because of its node."""
    from ray.exceptions import ActorUnavailableError

    return isinstance(error, ActorUnavailableError) or "node has died" in str(error)
