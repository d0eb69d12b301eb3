"""Starting the process of a job: in a session of its own, so that it outlives whoever started it."""

from __future__ import annotations

import os
import site
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import fooling
from fooling.service.jobs.locks import Process, seize
from fooling.service.jobs.models import State
from fooling.service.jobs.places import Places
from fooling.service.jobs.records import Submission, Wish, ask, write
from fooling.service.jobs.recovery import enter, settled


class StillEndingError(Exception):
    """The last process of a job still holds its lock."""


@dataclass(frozen=True)
class Means:
    """What a server lets the jobs have that it starts. It stands in no file: whoever starts a server says it anew.

    Attributes:
        trust: let models bring code of their own.
        address: of the Ray cluster that they compute on; None: this machine.
    """

    trust: bool = False
    address: str | None = None

    def arguments(self) -> list[str]:
        """The same for the command line of `fooling.service.jobs.process`."""
        return [*(["--trust"] if self.trust else []), *(["--address", self.address] if self.address else [])]


def launch(places: Places, id: str, means: Means) -> subprocess.Popen[bytes] | None:
    """Start the process of a job that waits; the caller holds the mutex.

    Returns:
        The process; None where the job does not wait any more.

    Raises:
        StillEndingError: its last process is there, which has written its end already.
        NotFoundError: there is no such job.
        OSError: no process can be started; the job waits on.
    """
    submission, record, wish = settled(places, id)
    files = places.job(id)
    if record.state is not State.QUEUED:
        return None
    lock = seize(files.lock)
    if lock is None:
        raise StillEndingError
    try:
        if wish is not Wish.NOTHING:
            ask(files, Wish.NOTHING)
        enter(places, id)
        begun = record.started if record.started is not None else time.time()
        starting = record.turned(State.STARTING, started=begun, process=Process.this(), launching=True)
        write(files.record, starting)
        try:
            return _spawn(places, submission, lock, means)
        except OSError:
            write(files.record, record)
            raise
    finally:
        os.close(lock)


def _spawn(places: Places, submission: Submission, lock: int, means: Means) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-P", "-m", "fooling.service.jobs.process", str(places.root), submission.id]
    folder = submission.folder if Path(submission.folder or "?").is_dir() else places.root
    with open(places.job(submission.id).log, "ab") as log:
        return subprocess.Popen(
            [*command, "--lock", str(lock), *means.arguments()],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=folder,
            env=environment(),
            pass_fds=[lock],
            start_new_session=True,
        )


def environment() -> dict[str, str]:
    """That of this process, in which modules are also found where this package was found: `-P` keeps Python from
    looking into the working directory, which may hold a stranger's."""
    here = str(Path(fooling.__file__).resolve().parents[1])
    if here in (*site.getsitepackages(), site.getusersitepackages()):
        return dict(os.environ)
    before = os.environ.get("PYTHONPATH")
    return {**os.environ, "PYTHONPATH": os.pathsep.join([here, *([before] if before else [])])}
