"""The Ray executor: tasks computed by workers on any number of machines, with the results of one process.

A small dispatcher on `ray.wait`. Each worker has at most two chunks: one that it computes and one that waits
for it. What is lost with a worker is issued again, and so is, to a worker with nothing to do, what takes
suspiciously long: tasks are pure, the first answer counts. A worker that died is replaced, wherever there is room.
"""

from __future__ import annotations

import pickle
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fooling.errors import FoolingError
from workers.actor import Answer, Blueprint, Shared, Worker
from workers.cluster import Cluster, Resources
from workers.host import Host
from workers.joining import first_line
from workers.protocol import Interrupted
from workers.shortage import lacking, refusal, taken
from workers.work import FAILURES, Work

DEATHS = 30  # the same for workers that die at their start, without a word: perhaps somebody kills them
DEPTH = 2  # chunks at a worker, at most
INLINE_BYTES = 64 * 1024  # what is larger goes through the object store
POLL_SECONDS = 0.2  # between looks at the clock and at the user's wish to stop
LATE = 4.0  # times the median of its kind: a chunk that takes longer is issued again
LATE_SECONDS = 2.0  # but not before so long
NOTICE_SECONDS = 60.0  # between repeated lines about waiting
PLACE_SECONDS = 30.0  # that Ray takes at most to place a worker and start its process, where there is room
TOGETHER_SECONDS = 10.0  # that the first worker waits for others whose processes are there
START_SECONDS = 600.0  # that a worker may take to make its host


@dataclass(eq=False)
class _Slot:
    """One worker as the driver sees it.

    Attributes:
        actor: its handle.
        placed: a call that answers when Ray has found a place for it; None when that is done.
        starting: the call that makes its host; None when that is done.
        since: when it was asked for; then, when it got its place.
        calls: what it was asked and has not answered, oldest first; those before `map`'s own are leftovers
            of chunks that somebody else was quicker with.
    """

    actor: Any
    placed: Any
    starting: Any
    since: float = field(default_factory=time.monotonic)
    calls: deque[_Call] = field(default_factory=deque)
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(eq=False)
class _Call:
    """A chunk at a worker.

    Attributes:
        number: of the chunk in its `map`.
        turn: of the `map`.
        began: when it became the oldest of its worker's calls: about when it was begun.
    """

    ref: Any
    number: int
    turn: int
    began: float


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
            patience: seconds that a chunk may take before its worker is given up.
            stopping: when set, what is under way is given up with `Interrupted`.
            notify: called with lines that the user should see.

        Raises:
            FoolingError: `wait` is False and the cluster is too small; or workers can't start.
        """
        import ray

        self._ray, self._cluster, self._host = ray, cluster, host
        self._need, self._count, self._wait, self._patience = need, count, wait, patience
        self._stopping = stopping or threading.Event()
        self._notify = notify or (lambda _: None)
        self._slots: list[_Slot] = []
        self._batch: int | None = None
        self._turn = 0
        self._failed_starts = 0
        self._logs: Path | None = None
        self._noticed: tuple[str, float] = ("", 0.0)
        self._looked = 0.0
        self._actor_class: Any = ray.remote(
            num_cpus=need.cpus, num_gpus=need.gpus, max_restarts=0, max_task_retries=0
        )(Worker)
        try:
            self._blueprint = _sent(blueprint)
            if not wait and (shortage := lacking(cluster, need, count or 1)):
                raise FoolingError(refusal(cluster, shortage))
            together = None
            while together is None or (self._is_preparing() and time.monotonic() < together):
                self._look_after()
                self._await(POLL_SECONDS)
                if self.workers and together is None:
                    together = time.monotonic() + TOGETHER_SECONDS
        except BaseException:
            self.close()
            raise

    @property
    def workers(self) -> list[dict[str, Any]]:
        """What the workers that are ready say of themselves (`workers.actor.Worker.prepare`)."""
        return [slot.facts for slot in self._slots if slot.starting is None]

    @property
    def pids(self) -> list[int]:
        """The processes of the workers that are ready."""
        return [facts["pid"] for facts in self.workers]

    @property
    def evaluators(self) -> int:
        """Chunks computed at once, when all workers are there."""
        return self._count or max(1, self._cluster.room(self._need))

    def _is_preparing(self) -> bool:
        """Whether a worker's process is there and makes its host."""
        return any(slot.starting is not None and slot.placed is None for slot in self._slots)

    def log_into(self, folder: Path) -> None:
        """Let workers write their output in a folder, where they can reach it."""
        self._logs = folder
        for slot in self._slots:
            if slot.starting is None:
                slot.actor.log_into.remote(str(folder))

    def halve_batch(self) -> int:
        self._batch = self._host.halve_batch()
        return self._batch

    def map(self, task: str, shared: Any, chunks: Sequence[Any]) -> Generator[Any, None, None]:
        self._turn += 1
        work = Work(chunks)
        shared, chunks = _packed(shared, chunks)
        parcel = self._parcel(shared)
        given = 0
        while given < len(chunks):
            self._look_after()
            self._issue(work, task, parcel, chunks)
            for call, answer in self._await(POLL_SECONDS):
                if call.turn == self._turn:
                    work.take(call.number, answer, time.monotonic() - call.began)
            while given in work.results:
                yield work.results.pop(given)
                given += 1
            self._give_up_hanging(work)

    def end_workers(self) -> None:
        """End the workers; others of the cluster stay."""
        for slot in self._slots:
            self._ray.kill(slot.actor)
        self._slots = []

    def close(self) -> None:
        """End the workers and leave the cluster."""
        self.end_workers()
        self._cluster.close()

    def _parcel(self, shared: Any) -> Shared:
        data = pickle.dumps(shared, protocol=5) if _size(shared) <= INLINE_BYTES else b""
        if 0 < len(data) <= INLINE_BYTES:
            return Shared(self._turn, data)
        return Shared(self._turn, [self._ray.put(shared)])

    def _issue(self, work: Work, task: str, parcel: Shared, chunks: Sequence[Any]) -> None:
        """Give chunks to workers: one to each that has none; a second where there is one for everybody;
        then what is late once more."""
        ready = [slot for slot in self._slots if slot.starting is None]
        idle = [slot for slot in ready if not slot.calls]
        for slot in idle:
            number = work.next() if work.pending else self._late(work, slot)
            if number is not None:
                self._call(slot, number, task, parcel, chunks[number])
        for depth in range(1, DEPTH):
            short = [slot for slot in ready if len(slot.calls) == depth]
            if len(work.pending) < len(ready):
                break
            for slot in short:
                if work.pending:
                    number = work.next()
                    self._call(slot, number, task, parcel, chunks[number])

    def _call(self, slot: _Slot, number: int, task: str, parcel: Shared, chunk: Any) -> None:
        ref = slot.actor.compute.remote(task, parcel, chunk, self._batch)
        slot.calls.append(_Call(ref, number, self._turn, time.monotonic()))

    def _late(self, work: Work, idle: _Slot) -> int | None:
        """A chunk that takes so much longer than others that it is worth computing twice."""
        limit = max(LATE_SECONDS, LATE * work.median) if work.median else self._patience
        now = time.monotonic()
        for slot in self._slots:
            for call in slot.calls:
                late = call.turn == self._turn and now - call.began > limit
                if late and call.number not in work.doubled and call.number not in work.done:
                    work.doubled.add(call.number)
                    return call.number
        return None

    def _await(self, seconds: float) -> list[tuple[_Call, Answer]]:
        """Answers that came within some time; workers that became ready; workers that died."""
        if self._stopping.is_set():
            raise Interrupted
        owners = {slot.starting: slot for slot in self._slots if slot.starting is not None}
        owners |= {slot.placed: slot for slot in self._slots if slot.placed is not None}
        owners |= {call.ref: slot for slot in self._slots for call in slot.calls}
        if not owners:
            self._stopping.wait(seconds)
            return []
        refs = list(owners)
        ready, rest = self._ray.wait(refs, num_returns=1, timeout=seconds)
        if ready and rest:
            ready += self._ray.wait(rest, num_returns=len(rest), timeout=0)[0]
        answers: list[tuple[_Call, Answer]] = []
        lost = []
        for ref in ready:
            slot = owners[ref]
            try:
                answer = self._ray.get(ref)
            except self._ray.exceptions.RayError as error:
                lost.append((slot, error))  # its other calls may have been answered before
                continue
            if ref == slot.starting:
                self._started(slot, answer)
                continue
            call = next((call for call in slot.calls if call.ref == ref), None)
            if call is None:
                slot.placed, slot.since = None, time.monotonic()
                continue
            slot.calls.remove(call)
            if slot.calls:
                slot.calls[0].began = time.monotonic()
            answers.append((call, answer))
        for slot, death in lost:
            answers += self._lost(slot, death)
        return answers

    def _lost(self, slot: _Slot, error: Exception) -> list[tuple[_Call, Answer]]:
        """A worker died: its place is free, and its chunks are to be issued again. Only the one that it was
        computing may have been the reason; none is, where the whole node went."""
        if slot not in self._slots:
            return []
        self._end(slot)  # where it only can't be reached, it must not go on
        innocent = _is_of_its_node(error)
        reason = f"its worker died ({type(error).__name__})"
        if slot.starting is not None and not innocent:
            self._refuse_failing(Answer("failed", reason), DEATHS)
        kinds = ["lost" if innocent else "failed", *["lost"] * len(slot.calls)]
        return [(call, Answer(kind, reason)) for call, kind in zip(slot.calls, kinds, strict=False)]  # type: ignore[arg-type]

    def _started(self, slot: _Slot, answer: Answer) -> None:
        if answer.kind != "done":
            self._end(slot)
            self._refuse_failing(answer)
            return
        slot.starting, slot.placed, slot.facts = None, None, answer.value
        self._failed_starts = 0
        self._expect_same(slot.facts)
        if self._logs is not None:
            slot.actor.log_into.remote(str(self._logs))

    def _expect_same(self, facts: dict[str, Any]) -> None:
        """Refuse a worker whose classifier is another one than the driver's.

        Raises:
            FoolingError: its fingerprint is another; InvalidError: it is the same, but the answers are not.
        """
        classifier = self._host.classifier
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

    def _end(self, slot: _Slot) -> None:
        self._slots.remove(slot)
        self._ray.kill(slot.actor)

    def _refuse_failing(self, answer: Answer, most: int = FAILURES) -> None:
        """Book a worker that could not start.

        Raises:
            FoolingError: so many could not, one after the other.
        """
        self._failed_starts += 1
        if self._failed_starts >= most:
            raise answer.error(f"workers can't start: {answer.value}")

    def _look_after(self) -> None:
        """Ask for the workers that are missing, and say what is waited for."""
        now = time.monotonic()
        complete = self._count is not None and len(self.workers) == self._count
        if complete or now - self._looked < POLL_SECONDS:
            return
        self._looked = now
        for slot in list(self._slots):
            if slot.starting is not None and slot.placed is None and now - slot.since > START_SECONDS:
                self._end(slot)
                self._refuse_failing(Answer("failed", f"no answer within {START_SECONDS:g} s"))
        wanted = self._count if self._count is not None else max(1, self._cluster.room(self._need))
        while len(self._slots) < wanted:
            actor = self._actor_class.remote()
            self._slots.append(
                _Slot(actor, actor.__ray_ready__.remote(), actor.prepare.remote(self._blueprint))
            )
        waiting = sum(slot.placed is not None and now - slot.since > PLACE_SECONDS for slot in self._slots)
        shortage = lacking(self._cluster, self._need, wanted) or taken(self._cluster, self._need, waiting)
        if shortage and not self.workers and not self._wait:
            raise FoolingError(refusal(self._cluster, shortage))
        if shortage:
            some = f"; going on with {len(self.workers)} of {wanted} workers" if self.workers else ""
            self._say(f"waiting for {shortage}", some, now)

    def _say(self, line: str, rest: str, now: float) -> None:
        """Tell the user, unless it was told a moment ago; what only the rest of the line changes is no news."""
        if line != self._noticed[0] or now - self._noticed[1] > NOTICE_SECONDS:
            self._notify(line + rest)
            self._noticed = (line, now)

    def _give_up_hanging(self, work: Work) -> None:
        """End workers that have been at a chunk for too long."""
        now = time.monotonic()
        for slot in list(self._slots):
            if slot.calls and now - slot.calls[0].began > self._patience:
                self._end(slot)
                reason = f"no answer within {self._patience:g} s (run.patience)"
                for number, call in enumerate(slot.calls):
                    if call.turn == self._turn:
                        kind = "failed" if number == 0 else "lost"
                        work.take(call.number, Answer(kind, reason), 0.0)  # type: ignore[arg-type]


def _packed(shared: Any, chunks: Sequence[Any]) -> tuple[Any, Sequence[Any]]:
    """What travels: only what the chunks need of what they share, where that knows how to leave out the rest."""
    return shared.packed(chunks) if hasattr(shared, "packed") else (shared, chunks)


def _size(shared: Any) -> int:
    """About how many bytes the arrays of what is shared have; 0 where it does not say."""
    return int(getattr(shared, "nbytes", 0))


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
