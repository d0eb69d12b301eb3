"""What may be asked of a job, and what that does to its files. Each change is one rename, so that whoever is killed
in it has made it or not; the caller of each function holds the mutex."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

from fooling.service.jobs.locks import is_held
from fooling.service.jobs.models import ENDED, ConflictError, State
from fooling.service.jobs.places import Places
from fooling.service.jobs.records import Wish, ask, current, write
from fooling.service.jobs.recovery import leave, settled


def pause(places: Places, id: str) -> None:
    """Let a job wait until it is resumed.

    Raises:
        ConflictError: it has ended, or is about to.
    """
    _, record, wish = settled(places, id)
    state = current(record, wish)
    if state is State.QUEUED:
        write(places.job(id).record, record.turned(State.PAUSED))
    elif state in (State.STARTING, State.RUNNING):
        ask(places.job(id), Wish.PAUSE)
    elif state not in (State.PAUSING, State.PAUSED):
        raise _unfit(state, "a job that has ended can't be paused")


def resume(places: Places, id: str) -> None:
    """Put a job that is paused, or has failed, into the queue.

    Raises:
        ConflictError: it is completed or cancelled, or about to be.
    """
    _, record, wish = settled(places, id)
    state = current(record, wish)
    if state in (State.PAUSED, State.FAILED):
        ask(places.job(id), Wish.NOTHING)
        write(places.job(id).record, record.turned(State.QUEUED, crashes=0))
    elif state is State.PAUSING:
        ask(places.job(id), Wish.NOTHING)
    elif state not in (State.QUEUED, State.STARTING, State.RUNNING):
        raise _unfit(state, "only a job that is paused, or has failed, can be resumed")


def cancel(places: Places, id: str) -> None:
    """End a job for good.

    Raises:
        ConflictError: it is completed, or has failed.
    """
    _, record, wish = settled(places, id)
    state = current(record, wish)
    if state in (State.QUEUED, State.PAUSED):
        write(places.job(id).record, record.turned(State.CANCELLED))
    elif state in (State.STARTING, State.RUNNING, State.PAUSING):
        ask(places.job(id), Wish.CANCEL)
    elif state not in (State.CANCELLING, State.CANCELLED):
        raise _unfit(state, "a job that has ended can't be cancelled")


def delete(places: Places, id: str) -> None:
    """Move a job that has ended, and its directory, to the trash.

    Raises:
        ConflictError: it has not ended, or its run is being continued by someone else.
    """
    submission, record, wish = settled(places, id)
    state = current(record, wish)
    if state not in ENDED:
        raise _unfit(state, "only a job that has ended can be deleted; cancel it first")
    refuse_written(places, submission.directory)
    ask(places.job(id), Wish.DELETE)  # from here on it is gone, whoever is killed
    finish_deleting(places, id, submission.directory)


def finish_deleting(places: Places, id: str, directory: str) -> None:
    """Do what `delete` was killed in: first the run, which would be taken for somebody's, then the job."""
    discard(places, directory)
    _throw_away(places, places.job(id).path)
    leave(places, id)


def discard(places: Places, directory: str) -> None:
    """Move a run directory to the trash, if it is there."""
    path = places.root / directory
    if path.is_dir() and not path.is_symlink():
        _throw_away(places, path)


def _throw_away(places: Places, path: Path) -> None:
    places.trash.mkdir(mode=0o700, exist_ok=True)
    path.rename(places.trash / f"{time.time_ns()}.{path.name}")


def empty_trash(places: Places) -> None:
    """Delete what is in the trash; the caller needs no mutex."""
    for path in places.trash.iterdir() if places.trash.exists() else ():
        shutil.rmtree(path, ignore_errors=True)


def remove_leftovers(places: Places) -> None:
    """Delete what is left of jobs that somebody was killed in making. The caller holds the mutex, as makers do."""
    for path in places.jobs.glob(".*.tmp"):
        shutil.rmtree(path, ignore_errors=True)


def refuse_written(places: Places, directory: str) -> None:
    """
    Raises:
        ConflictError: some process writes the run.
    """
    if is_held(places.root / directory / "lock"):
        raise _unfit(State.RUNNING, "only a run that nobody writes can be deleted")


def _unfit(state: State, rule: str) -> ConflictError:
    return ConflictError(f"the job is {state}: {rule}")
