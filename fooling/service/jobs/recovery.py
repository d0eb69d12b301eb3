"""What becomes of a job whose process is gone without having written an end: it was killed, or the machine stopped."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from fooling.service.jobs.describing import read
from fooling.service.jobs.locks import seize
from fooling.service.jobs.models import State
from fooling.service.jobs.places import JobPlaces, Places
from fooling.service.jobs.records import Record, Submission, Wish, read_record, read_wish, write
from fooling.text import plain

MOST_CRASHES = 2  # without a newer checkpoint in between
_TAIL = 2**12  # bytes of a job's log that are looked at
_LONGEST_REASON = 400  # characters
COMPUTED = (State.STARTING, State.RUNNING)  # what records say of a job that has a process


def enter(places: Places, id: str) -> None:
    """Note that a job is going to have a process."""
    (places.live / id).touch(0o600)


def leave(places: Places, id: str) -> None:
    """Note that a job has no process any more."""
    (places.live / id).unlink(missing_ok=True)


def settled(places: Places, id: str) -> tuple[Submission, Record, Wish]:
    """The files of a job, put right where its process is gone. The caller holds the mutex.

    Raises:
        NotFoundError: there is no such job.
        InvalidError: a file of it is damaged.
    """
    submission, record, wish = read(places, id)
    if record.state not in COMPUTED:
        return submission, record, wish
    files = places.job(id)
    lock = seize(files.lock)
    if lock is None:
        if record.process is not None and not record.launching and not record.process.is_alive():
            record.process.kill()  # processes that it left hold the lock; the next look finds it free
        return submission, record, wish
    try:
        record, wish = read_record(files), read_wish(files)  # its end may have been written meanwhile
        if record.state in COMPUTED:
            if record.process is not None and not record.launching:
                record.process.kill()  # what it left behind of its session
            record = after_death(record, wish, newest_checkpoint(places.root / submission.directory), files)
            write(files.record, record)
        leave(places, id)
    finally:
        os.close(lock)
    return submission, record, wish


def after_death(record: Record, wish: Wish, reached: int, files: JobPlaces) -> Record:
    """The record of a job whose process died.

    Args:
        reached: the generation of its newest checkpoint; -1 where it has none.
    """
    if wish in (Wish.CANCEL, Wish.PAUSE):
        return record.turned(State.CANCELLED if wish is Wish.CANCEL else State.PAUSED, reached=reached)
    process = record.process
    launcher_died = record.launching and process is not None and not process.is_alive()
    if process is None or not process.of_this_boot or launcher_died:  # that is no fault of the job
        return record.turned(State.QUEUED, first=True)
    crashes = 1 if reached > record.reached else record.crashes + 1
    if crashes < MOST_CRASHES:
        return record.turned(State.QUEUED, first=True, crashes=crashes, reached=reached)
    end = tail(files.log)
    told = f"; its log ends: {end}" if end else ""
    reason = f"its process ended {crashes} times without getting any further{told}"
    return record.turned(State.FAILED, crashes=crashes, reached=reached, reason=reason)


def newest_checkpoint(directory: Path) -> int:
    """The generation of a run's newest checkpoint, whatever is in the file; -1 where there is none."""
    newest = -1
    with contextlib.suppress(OSError):
        for name in os.listdir(directory / "checkpoints"):
            number = name.removesuffix(".safetensors")
            if number != name and number.isascii() and number.isdigit():
                newest = max(newest, int(number[:10]))
    return newest


def tail(log: Path) -> str:
    """The last lines of what a process printed, as one line."""
    try:
        with open(log, "rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - _TAIL))
            lines = file.read(_TAIL).decode("utf-8", "replace").split("\n")
    except OSError:
        return ""
    told = [line.strip() for line in lines if line.strip()][-3:]
    return plain(" / ".join(told))[-_LONGEST_REASON:]
