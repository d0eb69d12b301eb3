"""What the service tells of a job, the states it can be in, and the errors of the queue."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from fooling.errors import FoolingError


class ConflictError(FoolingError):
    """What was asked for does not fit the state of the job, or the key was used for another request."""


class QueueFullError(FoolingError):
    """As many jobs wait as the queue takes."""


class State(StrEnum):
    """Where a job is. `TRANSITIONS` says what may follow."""

    QUEUED = "queued"
    STARTING = "starting"
    RUNNING = "running"
    PAUSING = "pausing"
    PAUSED = "paused"
    CANCELLING = "cancelling"
    CANCELLED = "cancelled"
    COMPLETED = "completed"
    FAILED = "failed"


_S = State
# A process that died without a word puts its job back into the queue, hence the ways back to QUEUED. A job may be done
# before it notices that it was asked to pause or to end.
TRANSITIONS: dict[State, frozenset[State]] = {
    _S.QUEUED: frozenset({_S.STARTING, _S.PAUSED, _S.CANCELLED, _S.FAILED}),
    _S.STARTING: frozenset({_S.RUNNING, _S.PAUSING, _S.CANCELLING, _S.QUEUED, _S.FAILED}),
    _S.RUNNING: frozenset({_S.PAUSING, _S.CANCELLING, _S.PAUSED, _S.COMPLETED, _S.QUEUED, _S.FAILED}),
    _S.PAUSING: frozenset(
        {_S.PAUSED, _S.STARTING, _S.RUNNING, _S.CANCELLING, _S.COMPLETED, _S.QUEUED, _S.FAILED}
    ),
    _S.PAUSED: frozenset({_S.QUEUED, _S.CANCELLED}),
    _S.CANCELLING: frozenset({_S.CANCELLED, _S.COMPLETED, _S.FAILED}),
    _S.CANCELLED: frozenset(),
    _S.COMPLETED: frozenset(),
    _S.FAILED: frozenset({_S.QUEUED}),
}
ENDED = frozenset({_S.CANCELLED, _S.COMPLETED, _S.FAILED})
# A process computes it, or did until it died.
ALIVE = frozenset({_S.STARTING, _S.RUNNING, _S.PAUSING, _S.CANCELLING})


class Progress(BaseModel):
    """How far a run is, as the last whole generation in its log says.

    Attributes:
        generation: completed after the first, random population; -1 before that.
        generations: that its settings ask for; None where that is not known (yet).
        planned: images that its settings ask for; None likewise.
        evaluations: images classified.
        seconds: of searching, all parts of an interrupted run together.
        median, mean, min, max: confidence over the classes, 0 to 1; None before the first generation.
        done, total: steps of a study; 0 of a run.
        text: the step that a study did last; untrusted.
    """

    model_config = ConfigDict(frozen=True)

    generation: int = -1
    generations: int | None = None
    planned: int | None = None
    evaluations: int = 0
    seconds: float = 0.0
    median: float | None = None
    mean: float | None = None
    min: float | None = None
    max: float | None = None
    done: int = 0
    total: int = 0
    text: str = ""


class Job(BaseModel):
    """A run or a study in the folder: one that the service was asked for, or a run that `fooling run` made there.

    Attributes:
        id: 20 hexadecimal digits; never a path.
        kind: "run", or the name of a study.
        ours: whether the service was asked for it. A run that was made by other means can be looked at and, when it
            has ended, deleted.
        name: of its directory.
        label: the words of whoever asked for it; untrusted text, like `name`, `reason` and `request`.
        model: the spec of its classifier; "" where there is none.
        request: as it was handed in; of a run that is not ours, empty.
        created, started, ended: in UTC.
        estimate_seconds: that it is going to take from here on; None where that is not known.
        position: in the queue, 1 for the next; None where it does not wait.
        reason: why it failed, or ended before it was done; "" where there is nothing to tell.
        classes: of its classifier; None before that is known.
        directory: relative to the root, with "/" between folders. It stays within the server: no dump holds it.
    """

    model_config = ConfigDict(frozen=True)

    id: str
    kind: str
    state: State
    ours: bool = True
    name: str = ""
    label: str = ""
    model: str = ""
    seed: int | None = None
    encoding: str = ""
    search: str = ""
    classes: int | None = None
    request: dict[str, Any] = {}
    created: datetime
    started: datetime | None = None
    ended: datetime | None = None
    progress: Progress = Progress()
    estimate_seconds: float | None = None
    position: int | None = None
    reason: str = ""
    directory: str = Field("", exclude=True, repr=False)


class Page(BaseModel):
    """A part of a list, newest first.

    Attributes:
        next: the cursor of the part that follows; None at the end.
        total: how many jobs the filters let through, on all pages together.
    """

    model_config = ConfigDict(frozen=True)

    items: list[Job]
    next: str | None = None
    total: int = 0
