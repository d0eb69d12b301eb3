"""Finding what has changed in a folder, to keep the index up to date: by looking at times and sizes, of files that
matter, before anything is read."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from itertools import islice

from fooling.errors import FoolingError, NotFoundError
from fooling.service.jobs import runs
from fooling.service.jobs.changes import finish_deleting
from fooling.service.jobs.describing import job_of, read, run_id, run_of, stamp_of_job
from fooling.service.jobs.index import Entry, Index
from fooling.service.jobs.locks import exclusive
from fooling.service.jobs.models import ALIVE, State
from fooling.service.jobs.places import Places, is_id
from fooling.service.jobs.records import Wish, read_submission, read_wish
from fooling.service.jobs.recovery import COMPUTED, enter

_DEPTH = 2  # folders below the root in which runs are looked for
_AT_ONCE = 200  # rows in a transaction


class Scanner:
    """Brings the index of a folder up to date."""

    def __init__(self, places: Places, index: Index) -> None:
        self._places, self._index = places, index

    def jobs(self) -> None:
        """Look at all jobs that the service was asked for. Deletions that somebody was killed in are finished."""
        known = self._index.stamps(ours=True)
        there = [name for name in os.listdir(self._places.jobs) if is_id(name)]
        self._index.remove(known.keys() - set(there))
        self._put(self._changed_jobs(there, known))

    def look(self, id: str) -> None:
        """Bring the row of one job up to date."""
        entry = self._entry(id)
        self._index.put([entry] if entry else [])
        if entry is None:
            self._index.remove([id])

    def runs(self) -> None:
        """Look at all other runs in the folder."""
        found = list(self._run_directories())
        ours = {
            directory for directory, _, _ in self._index.stamps(ours=True).values()
        }  # after `found`: none is missed
        known = self._index.stamps(ours=False)
        there = {run_id(relative): relative for relative in found if relative not in ours}
        self._index.remove(known.keys() - there.keys())
        self._put(self._changed_runs(there, known))

    def _put(self, entries: Iterator[Entry]) -> None:
        while part := list(islice(entries, _AT_ONCE)):
            self._index.put(part)

    def _changed_jobs(self, there: list[str], known: dict[str, tuple[str, str, str]]) -> Iterator[Entry]:
        for id in there:
            directory, state, stamp = known.get(id, ("", "", ""))
            if state in ALIVE or not directory or stamp != stamp_of_job(self._places, id, directory):
                entry = self._entry(id)
                if entry is not None:
                    yield entry

    def _entry(self, id: str) -> Entry | None:
        """The row of a job, None where there is none; a job that may have a process is noted as such."""
        files = self._places.job(id)
        try:
            submission = read_submission(files)
            stamp = stamp_of_job(
                self._places, id, submission.directory
            )  # before the rest is read: rather too old
            job = job_of(self._places, id)
            _, record, _ = read(self._places, id)
        except NotFoundError:
            self._finish_deleting(id)
            return None
        except (FoolingError, OSError):  # damaged by a hand or a disk, or gone meanwhile
            return None
        if record.state in COMPUTED and not (self._places.live / id).exists():
            enter(self._places, id)
        return Entry(job, stamp, record.first)

    def _finish_deleting(self, id: str) -> None:
        files = self._places.job(id)
        with exclusive(self._places.mutex), contextlib.suppress(OSError, FoolingError):
            if read_wish(files) is Wish.DELETE:
                finish_deleting(self._places, id, read_submission(files).directory)

    def _changed_runs(self, there: dict[str, str], known: dict[str, tuple[str, str, str]]) -> Iterator[Entry]:
        for id, relative in there.items():
            _, state, before = known.get(id, ("", "", ""))
            stamp = runs.stamp_of(self._places.root / relative)
            # Whoever writes a run may die without a trace in its log.
            if stamp and (stamp != before or state == State.RUNNING):
                with contextlib.suppress(FoolingError, OSError):
                    yield Entry(run_of(self._places, relative), stamp)

    def _run_directories(self, below: str = "", depth: int = 1) -> Iterator[str]:
        """Folders with a manifest, relative to the root. No link is followed."""
        with contextlib.suppress(OSError), os.scandir(self._places.root / below) as entries:
            for entry in entries:
                if entry.name.startswith(".") or not entry.is_dir(follow_symlinks=False):
                    continue
                relative = f"{below}/{entry.name}" if below else entry.name
                if not _encodes(relative):
                    continue
                if os.path.lexists(os.path.join(entry.path, "manifest.json")):
                    yield relative
                elif depth < _DEPTH:
                    yield from self._run_directories(relative, depth + 1)


def _encodes(text: str) -> bool:
    """Whether a name is UTF-8, as the index and JSON need it."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
