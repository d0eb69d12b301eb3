"""Where the jobs of a folder lie.

ROOT/NAME/                 a run directory, whoever made it
ROOT/.fooling/             what is the service's own, readable by its user only
    jobs/ID/job.json       what was asked for; never changes
    jobs/ID/state.json     where the job is; written only by whoever holds `lock`
    jobs/ID/wish           what the job's process is asked for: "pause" or "cancel"; of an ended job, "delete"
    jobs/ID/lock           held by the job's process as long as it lives
    jobs/ID/log            what the process printed
    jobs/ID/progress.json  how far a study is
    jobs/ID/result.json    what a study found
    live/ID                an empty file for each job that may have a process
    queue.json             the order of waiting jobs, where somebody changed it
    mutex                  held for the milliseconds in which a server or a job changes one of these
    index.sqlite           a cache of all this
    trash/                 what is being deleted
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

_ID = re.compile(r"[0-9a-f]{20}")


def is_id(text: str) -> bool:
    """Whether a text has the form of an id."""
    return _ID.fullmatch(text) is not None


def id_of(text: str) -> str:
    """An id that belongs to a text."""
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()[:20]


@dataclass(frozen=True)
class JobPlaces:
    """The files of a job."""

    path: Path

    @property
    def submission(self) -> Path:
        return self.path / "job.json"

    @property
    def record(self) -> Path:
        return self.path / "state.json"

    @property
    def wish(self) -> Path:
        return self.path / "wish"

    @property
    def lock(self) -> Path:
        return self.path / "lock"

    @property
    def log(self) -> Path:
        return self.path / "log"

    @property
    def progress(self) -> Path:
        return self.path / "progress.json"

    @property
    def result(self) -> Path:
        return self.path / "result.json"

    @property
    def work(self) -> Path:
        """What a study keeps, so that it can go on."""
        return self.path / "work"


@dataclass(frozen=True)
class Places:
    """The files of a folder of runs. `root` is absolute."""

    root: Path

    @property
    def own(self) -> Path:
        return self.root / ".fooling"

    @property
    def jobs(self) -> Path:
        return self.own / "jobs"

    @property
    def live(self) -> Path:
        return self.own / "live"

    @property
    def trash(self) -> Path:
        return self.own / "trash"

    @property
    def queue(self) -> Path:
        return self.own / "queue.json"

    @property
    def mutex(self) -> Path:
        return self.own / "mutex"

    @property
    def index(self) -> Path:
        return self.own / "index.sqlite"

    def job(self, id: str) -> JobPlaces:
        """The files of a job, which may not be there.

        Raises:
            ValueError: the text is no id.
        """
        if not is_id(id):
            raise ValueError(f"expected an id, found {id!r}")
        return JobPlaces(self.jobs / id)
