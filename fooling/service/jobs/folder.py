"""The jobs of one folder: what may be asked of them."""

from __future__ import annotations

import functools
import os
import secrets
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from fooling.config import Settings
from fooling.errors import FoolingError, InvalidError, NotFoundError
from fooling.service.jobs import changes
from fooling.service.jobs.describing import is_folder, job_of, no_such, run_id, run_of
from fooling.service.jobs.estimating import Rates, planned_images, remaining_seconds
from fooling.service.jobs.finding import Found, Query
from fooling.service.jobs.index import Index, pace_of
from fooling.service.jobs.launching import Means
from fooling.service.jobs.locks import exclusive
from fooling.service.jobs.models import ALIVE, ENDED, ConflictError, Job, Page, QueueFullError, State
from fooling.service.jobs.places import Places, id_of, is_id
from fooling.service.jobs.queue import moved, ordered, read_pinned, write_pinned
from fooling.service.jobs.records import Record, Submission, Wish, make, read_submission, read_wish
from fooling.service.jobs.submitting import submission_of
from fooling.service.jobs.supervisor import Supervisor
from fooling.service.jobs.watching import Changes, Watch
from fooling.untrusted import parse_json, read_plain

P = ParamSpec("P")
T = TypeVar("T")
_LONGEST_LIST = 10_000
_LONGEST_RESULT = 2**28  # bytes
_STALE = 1.0  # seconds that a list may be old where no supervisor keeps it up to date


@contextmanager
def _told(places: Places) -> Iterator[None]:
    """What the disk refuses, as an error with a line for people."""
    try:
        yield
    except OSError as error:
        raise FoolingError(f"{places.own}: {error.strerror or error}") from None
    except sqlite3.Error as error:
        raise FoolingError(f"{places.index}: {error}") from None


def _telling(method: Callable[Concatenate[Jobs, P], T]) -> Callable[Concatenate[Jobs, P], T]:
    @functools.wraps(method)
    def call(self: Jobs, *args: P.args, **kwargs: P.kwargs) -> T:
        with _told(self._places):
            return method(self, *args, **kwargs)

    return call


class Jobs:
    """The jobs below a folder. Several of these, in one process or in many, may be open on the same folder.

    Every method may be called from any thread, and takes milliseconds. Unknown ids raise NotFoundError, also those
    that are no ids at all; requests that do not fit the job's state raise ConflictError.
    """

    def __init__(
        self,
        root: Path,
        running: int = 1,
        *,
        trust: bool = False,
        address: str | None = None,
        most_queued: int = 1000,
    ) -> None:
        """
        Args:
            root: the folder of runs; it is made where it is not there.
            running: jobs that are computed at once, over all the servers of this folder; 0 starts none.
            trust: let the models of jobs that are started from here bring code of their own.
            address: of the Ray cluster that jobs started from here compute on (default: this machine).
            most_queued: jobs that may wait.

        Raises:
            FoolingError: the folder can't be made or written.
        """
        self._places = places = Places(root.absolute())
        with _told(places):
            for folder in (places.root, places.own, places.jobs, places.live, places.trash):
                folder.mkdir(mode=0o777 if folder is places.root else 0o700, parents=True, exist_ok=True)
                if folder.is_symlink() and folder != places.root:
                    raise FoolingError(f"{folder}: expected a folder, found a link")
            with exclusive(places.mutex):
                pass
        self._index = Index(places.index)
        self._supervisor = Supervisor(places, self._index, running, Means(trust, address))
        self._most_queued, self._refreshed = most_queued, float("-inf")

    @_telling
    def submit(
        self, kind: str, request: Mapping[str, Any], *, label: str = "", idempotency_key: str | None = None
    ) -> Job:
        """A new job at the end of the queue. It is on the disk when this returns.

        Args:
            kind: "run", or the name of a study.
            request: JSON-like. Of a run: `config` (the name of a ready-made one), `model`, `seed` and `set` (dotted
                keys and values), each of which may be left out. Of a study: what its `Request` holds, with ids in
                place of the run directories of `run` and `runs`. Whoever calls has refused settings and models that
                a request may not have.
            idempotency_key: the same key and request give the job that is there already.

        Raises:
            InvalidError, NotFoundError: the settings are wrong, there is no such config or no such kind.
            ConflictError: the key was used with another request.
            QueueFullError: too many wait.
        """
        id = id_of(f"key {idempotency_key}") if idempotency_key is not None else secrets.token_hex(10)
        submission = submission_of(id, kind, request, label, self._relative)
        with exclusive(self._places.mutex):
            if earlier := self._earlier(submission):
                return earlier
            if len(self._index.ours_in([State.QUEUED])) >= self._most_queued:
                raise QueueFullError(f"{self._most_queued} jobs wait already: try again when some have ended")
            make(self._places.job(id), submission, Record())
        self._supervisor.changed(id)
        return self.get(id)

    @_telling
    def get(self, id: str) -> Job:
        """A job as it is now."""
        try:
            job = job_of(self._places, id)
        except NotFoundError:
            job = run_of(self._places, self._foreign(id))
        found = self._completed([job])[0]
        if (
            found.state is State.QUEUED and found.position is None
        ):  # put there just now, which the index does not know
            self._supervisor.changed(id)
            found = self._completed([job])[0]
        return found

    @_telling
    def list(
        self,
        *,
        state: State | None = None,
        kind: str | None = None,
        model: str | None = None,
        label: str | None = None,
        q: str | None = None,
        limit: int = 100,
        cursor: str | None = None,
    ) -> Page:
        """Jobs, newest first, as the index has them: at most a second or two old.

        Args:
            kind: "run", the name of a study, or "study" for any.
            label: exactly this one.
            q: text that is in the name, the label or the model, upper and lower case alike.
            limit: 1 to 10,000.

        Raises:
            InvalidError: the cursor is none of ours, or the limit is out of range.
        """
        if not 1 <= limit <= _LONGEST_LIST:
            raise InvalidError(f"limit: expected 1 to {_LONGEST_LIST:,}, found {limit}")
        self._freshen()
        given = {"state": state and str(state), "kind": kind, "model": model, "label": label}
        filters = {column: value for column, value in given.items() if value is not None}
        page = self._index.page(filters, q, limit, cursor)
        return page.model_copy(update={"items": self._completed(page.items)})

    @_telling
    def find(self, query: Query, offset: int = 0, limit: int = 100) -> Found:
        """Jobs that are wanted, from a place in their list on, and how many there are of each sort."""
        self._freshen()
        found = self._index.find(query, offset, limit)
        return replace(found, items=list(self._completed(found.items)))

    @_telling
    def watch(self) -> Callable[[], Changes]:
        """A function that tells at each call what has changed since the one before; calls must not overlap."""
        self._freshen()
        watch = Watch(self._index, self._completed, lambda: tuple(self._queue()))

        def look() -> Changes:
            with _told(self._places):
                self._freshen()
                return watch.look()

        return look

    @_telling
    def queue(self) -> tuple[Sequence[Job], Sequence[Job]]:
        """The jobs of the service that a process computes, and those that wait, the next one first."""
        self._freshen()
        live = [id for id, _, _ in sorted(self._index.ours_in(ALIVE), key=lambda job: job[2])]
        return self._completed(self._index.jobs(live)), self._completed(self._index.jobs(self._queue()))

    @_telling
    def expected(self, settings: Settings) -> tuple[int | None, float | None]:
        """What a run of these settings is going to cost, as far as the runs of this folder tell.

        Returns:
            Images, and images per second; None where that is not known.
        """
        self._freshen()
        pace = pace_of(settings.model, settings.encoding.name, settings.search.name)
        return planned_images(settings, self._index.classes(settings.model)), self._index.rate(pace)

    @property
    def running(self) -> int:
        """Jobs that are computed at once."""
        return self._supervisor.running

    def pause(self, id: str) -> Job:
        """Ask a job to write a checkpoint and to end its process; nothing happens where it has."""
        return self._change(changes.pause, id)

    def resume(self, id: str) -> Job:
        """Put a paused job, or one that failed, back into the queue; nothing happens where it is there or runs."""
        return self._change(changes.resume, id)

    def cancel(self, id: str) -> Job:
        """Ask a job to end for good; nothing happens where it has been cancelled. Its directory stays."""
        return self._change(changes.cancel, id)

    @_telling
    def reorder(self, id: str, before: str | None) -> Job:
        """Put a waiting job before another one in the queue, or at its end."""
        with exclusive(self._places.mutex):
            queue = self._queue()
            for each in (id, *([before] if before is not None else [])):
                if each not in queue:
                    raise ConflictError(
                        f"the job is {self.get(each).state}: only jobs that wait have an order"
                    )
            if id != before:
                write_pinned(self._places.queue, moved(queue, id, before))
        self._supervisor.changed(id)
        return self.get(id)

    @_telling
    def delete(self, id: str) -> None:
        """Remove an ended job and its directory. Of a run that `fooling run` made, nobody may be writing it."""
        with exclusive(self._places.mutex):
            try:
                changes.delete(self._places, id)
            except NotFoundError:
                directory = self._foreign(id)
                changes.refuse_written(self._places, directory)
                changes.discard(self._places, directory)
        self._index.remove([id])
        changes.empty_trash(self._places)

    @_telling
    def directory(self, id: str) -> Path:
        """The run directory of a job, which may not be there yet. For the server's own use: never sent out."""
        try:
            return self._places.root / read_submission(self._places.job(id)).directory
        except (ValueError, OSError):
            return self._places.root / self._foreign(id)

    def events_file(self, id: str) -> Path:
        """The log of a run (`fooling.store.events`), which may not be there yet, and shrinks at a resume."""
        return self.directory(id) / "events.jsonl"

    @_telling
    def result(self, id: str) -> dict[str, Any]:
        """What a completed study found.

        Raises:
            ConflictError: it is no study, or not completed.
        """
        job = self.get(id)
        if job.kind == "run" or job.state is not State.COMPLETED:
            raise ConflictError(f"the {job.kind} is {job.state}: expected a study that is completed")
        found = parse_json(read_plain(self._places.job(id).result, _LONGEST_RESULT), "result.json")
        assert isinstance(found, dict)
        return found

    @contextmanager
    def supervise(self) -> Iterator[None]:
        """In this block a thread of this process starts queued jobs, notices those whose process has died, and keeps
        the index up to date. Jobs that run go on when the block ends."""
        self._supervisor.start()
        try:
            yield
        finally:
            self._supervisor.stop()

    def close(self) -> None:
        """Close the index. Jobs go on."""
        self._index.close()

    def _freshen(self) -> None:
        """Look at the folder, where no supervisor does."""
        if not self._supervisor.is_running and time.monotonic() - self._refreshed > _STALE:
            self._supervisor.refresh()
            self._refreshed = time.monotonic()

    def _earlier(self, submission: Submission) -> Job | None:
        """The job that was made with the same key."""
        files = self._places.job(submission.id)
        try:
            earlier = read_submission(files)
        except OSError:
            return None
        if read_wish(files) is Wish.DELETE:
            changes.finish_deleting(self._places, submission.id, earlier.directory)
            return None
        if earlier.digest != submission.digest:
            raise ConflictError("the idempotency key was used with another request: take a new one")
        return self.get(submission.id)

    @_telling
    def _change(self, change: Callable[[Places, str], None], id: str) -> Job:
        with exclusive(self._places.mutex):
            try:
                change(self._places, id)
            except NotFoundError:
                self._foreign(id)
                raise ConflictError(
                    "the run was made by `fooling run`, which alone can stop it or go on with it"
                ) from None
        self._supervisor.changed(id)
        return self.get(id)

    def _relative(self, id: str) -> str:
        return self.directory(id).relative_to(self._places.root).as_posix()

    def _foreign(self, id: str) -> str:
        """The directory, relative to the root, of a run that the service was not asked for.

        Raises:
            NotFoundError: there is none of this id.
        """
        directory = self._index.directory(id) if is_id(id) else None
        if directory is None or run_id(directory) != id or not self._is_run(directory):
            raise no_such(id)
        return directory

    def _is_run(self, directory: str) -> bool:
        path = self._places.root
        for part in directory.split("/"):
            path = path / part
            if part in ("", ".", "..") or not is_folder(path):
                return False
        return os.path.lexists(path / "manifest.json")

    def _queue(self) -> Sequence[str]:
        """The ids of the jobs that wait, the next one first."""
        return ordered(self._index.ours_in([State.QUEUED]), read_pinned(self._places.queue))

    def _completed(self, jobs: Sequence[Job]) -> Sequence[Job]:
        """With what depends on other jobs."""
        queue = self._queue() if any(job.state is State.QUEUED for job in jobs) else []
        places, rates = {id: number for number, id in enumerate(queue, 1)}, Rates(self._index)
        return [
            job
            if job.state in ENDED
            else job.model_copy(
                update={"position": places.get(job.id), "estimate_seconds": remaining_seconds(rates, job)}
            )
            for job in jobs
        ]
