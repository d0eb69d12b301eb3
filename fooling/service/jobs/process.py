"""The process of a job: `python -m fooling.service.jobs.process ROOT ID`, in a session of its own.

It holds the job's lock, which its parent took for it, as long as it lives; so it alone writes where the job is. It
computes, looks several times a second whether it is asked to pause or to end, and writes how it ended.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
import threading
import time
from pathlib import Path

from fooling.errors import FoolingError
from fooling.service.jobs.launching import Means
from fooling.service.jobs.locks import Process, exclusive, seize
from fooling.service.jobs.models import State
from fooling.service.jobs.places import Places
from fooling.service.jobs.records import (
    Record,
    Submission,
    Wish,
    read_record,
    read_submission,
    read_wish,
    write,
)
from fooling.service.jobs.recovery import leave
from fooling.service.jobs.work import Outcome, Stop, compute_run, compute_study
from fooling.text import plain

_log = logging.getLogger(__name__)

LOOK = 0.2  # seconds between two looks at what the job is asked for


def main() -> int:
    """Compute a job, and say on the disk how it ended. Whoever kills this process leaves a job that goes on from its
    checkpoint."""
    parser = argparse.ArgumentParser(prog="fooling.service.jobs.process")
    parser.add_argument("root", type=Path)
    parser.add_argument("id")
    parser.add_argument("--lock", type=int, help="the open file that holds the job's lock")
    parser.add_argument("--trust", action="store_true")
    parser.add_argument("--address")
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")  # to the job's log
    places = Places(given.root.absolute())
    if not _hold(places, given.id, given.lock):
        return 1
    submission = read_submission(places.job(given.id))
    stop = Stop()
    watch = threading.Thread(target=_watch, args=(places, given.id, stop), daemon=True)
    watch.start()
    outcome = _compute(places, submission, Means(given.trust, given.address), stop)
    _end(places, given.id, outcome)
    return 0


def _hold(places: Places, id: str, lock: int | None) -> bool:
    """Be the process of a job: hold its lock, and note who holds it."""
    files = places.job(id)
    if lock is None:
        lock = seize(files.lock)
        if lock is None:
            _log.error("job %s has a process already", id)
            return False
    os.set_inheritable(lock, False)  # children that this process starts don't hold it
    record = read_record(files)
    if record.state is not State.STARTING:
        _log.error("job %s is %s: expected one that is being started", id, record.state)
        return False
    write(files.record, record.model_copy(update={"process": Process.this(), "launching": False}))
    return True


def _watch(places: Places, id: str, stop: Stop) -> None:
    """Look whether the job is asked for something, until it is."""
    while read_wish(places.job(id)) not in (Wish.PAUSE, Wish.CANCEL):
        time.sleep(LOOK)
    stop.ask()


def _compute(places: Places, submission: Submission, means: Means, stop: Stop) -> Outcome:
    files = places.job(submission.id)

    def begun() -> None:
        write(files.record, read_record(files).model_copy(update={"state": State.RUNNING}))

    try:
        compute = compute_run if submission.kind == "run" else compute_study
        return compute(places, submission, means, stop, begun)
    except FoolingError as error:
        return Outcome(State.FAILED, str(error))


def _end(places: Places, id: str, outcome: Outcome) -> None:
    """Write how it ended. Nobody changes what it was asked for at the same time."""
    files = places.job(id)
    reason = plain(outcome.reason.replace(f"{places.root}/", ""))
    with exclusive(places.mutex):
        write(files.record, ended(read_record(files), read_wish(files), outcome.state, reason))
        leave(places, id)


def ended(record: Record, wish: Wish, state: State, reason: str) -> Record:
    """The record of a job whose work ended in a state (`Outcome`)."""
    if state is State.COMPLETED:
        return record.turned(State.COMPLETED)
    if wish is Wish.CANCEL:
        return record.turned(State.CANCELLED)
    if state is State.FAILED:
        return record.turned(State.FAILED, reason=reason)
    if wish is Wish.PAUSE or reason:
        return record.turned(State.PAUSED, reason=reason)
    return record.turned(State.QUEUED, first=True)  # the machine stops, or the wish was taken back


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # the memory is free at once, whatever libraries would still like to do
