"""What the files of a job hold, read as if they came from a stranger, written whole and durably."""

from __future__ import annotations

import json
import time
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from fooling.errors import InvalidError
from fooling.files import json_bytes, replacing, sync_directory
from fooling.service.jobs.locks import Process
from fooling.service.jobs.models import State
from fooling.service.jobs.places import JobPlaces
from fooling.untrusted import parse_json, parse_model, read_plain

LONGEST = 2**22  # bytes of a request; the service takes much less
_Moment = Annotated[float, Field(ge=0, le=1e12)]


class _Kept(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)


class Submission(_Kept):
    """What was asked for, and what of it is known without loading anything.

    Attributes:
        digest: of the request, so that a second one with the same key is told from another.
        directory: the name of the job's directory below the root.
        folder: that relative paths of model specs begin at.
        runs: of a study, the directories below the root of the runs that it names, by their ids.
        generations, evaluations: that its settings ask for; None where they depend on the classifier.
    """

    id: Annotated[str, Field(pattern=r"^[0-9a-f]{20}$")]
    kind: Annotated[str, Field(pattern=r"^[a-z][a-z-]{0,39}$")]
    request: dict[str, Any]
    digest: str
    runs: dict[str, Annotated[str, Field(pattern=r"^[^/]+(/[^/]+)*$")]] = {}
    label: str = ""
    created: _Moment
    directory: Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$")]
    folder: str = ""
    model: str = ""
    seed: int | None = None
    encoding: str = ""
    search: str = ""
    generations: int | None = None
    evaluations: int | None = None


class Record(_Kept):
    """Where a job is: what was written last, by its process or, where there is none, by a server.

    Attributes:
        state: queued, starting, running, paused, cancelled, completed or failed. That it is asked to pause or to end is
            in another file (`Wish`): `current` puts both together.
        first: whether it goes on before all that wait, since it was under way when its process died.
        process: that computes it; while it is launched, the server that launches it.
        launching: whether `process` is that server.
        crashes: of its process, since the last time that it got further.
        reached: the generation of the newest checkpoint at the last crash.
    """

    state: State = State.QUEUED
    first: bool = False
    started: _Moment | None = None
    ended: _Moment | None = None
    reason: str = ""
    process: Process | None = None
    launching: bool = False
    crashes: Annotated[int, Field(ge=0)] = 0
    reached: Annotated[int, Field(ge=-1)] = -1

    def turned(self, state: State, **changes: Any) -> Record:
        """With another state. Its end is now, where it ends."""
        ends = state in (State.COMPLETED, State.CANCELLED, State.FAILED)
        reset = {"process": None, "launching": False, "first": False, "reason": ""}
        changes = reset | {"ended": time.time() if ends else None} | changes
        return self.model_copy(update={"state": state, **changes})


class Wish(StrEnum):
    """What a job is asked for."""

    NOTHING = ""
    PAUSE = "pause"
    CANCEL = "cancel"
    DELETE = "delete"


def current(record: Record, wish: Wish) -> State:
    """The state as the world sees it. Of a job that no process computes, the wish is an old one."""
    if record.state not in (State.STARTING, State.RUNNING):
        return record.state
    return {Wish.PAUSE: State.PAUSING, Wish.CANCEL: State.CANCELLING}.get(wish, record.state)


def make(places: JobPlaces, submission: Submission, record: Record) -> None:
    """Make a job's folder; it is there whole, and durably, or not at all.

    Raises:
        FileExistsError: there is such a job.
        OSError: it can't be written.
    """
    temporary = places.path.with_name(f".{places.path.name}.{time.time_ns()}.tmp")
    temporary.mkdir(mode=0o700)
    inside = JobPlaces(temporary)
    try:
        write(inside.submission, submission)
        write(inside.record, record)
        inside.lock.touch(0o600)
        try:
            temporary.rename(places.path)
        except OSError:
            if places.path.exists():
                raise FileExistsError(places.path.name) from None
            raise
    except BaseException:
        for file in temporary.iterdir():
            file.unlink()
        temporary.rmdir()
        raise
    sync_directory(places.path.parent)


def write(path: Path, value: BaseModel) -> None:
    """Write a file of a job."""
    with replacing(path, durable=True) as file:
        file.write(json_bytes(value.model_dump(mode="json")))


def read_submission(places: JobPlaces) -> Submission:
    """What was asked for.

    Raises:
        FileNotFoundError: there is no such job (any more).
        InvalidError: the file is damaged.
    """
    return parse_model(Submission, read_plain(places.submission, LONGEST), "job.json")


def read_record(places: JobPlaces) -> Record:
    """Where a job is; errors as for `read_submission`."""
    return parse_model(Record, read_plain(places.record, LONGEST), "state.json")


def read_wish(places: JobPlaces) -> Wish:
    """What a job is asked for."""
    try:
        return Wish(read_plain(places.wish, 64).decode("ascii", "replace").strip())
    except (FileNotFoundError, ValueError, InvalidError):
        return Wish.NOTHING


def ask(places: JobPlaces, wish: Wish) -> None:
    """Ask a job for something, in place of what it was asked for before."""
    if wish is Wish.NOTHING:
        places.wish.unlink(missing_ok=True)
        sync_directory(places.path)
        return
    with replacing(places.wish, durable=True) as file:
        file.write(f"{wish}\n".encode())


def canonical(value: Any) -> str:
    """JSON-like data as one text, whatever the order of its keys.

    Raises:
        InvalidError: it is not JSON-like, or nested too deep to be read again.
    """
    try:
        text = json.dumps(value, sort_keys=True, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidError(f"the request: expected JSON: {error}") from None
    parse_json(f"[[{text}]]", "the request")
    return text
