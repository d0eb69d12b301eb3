"""Jobs as the world sees them, made from their files."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

from fooling.errors import InvalidError, NotFoundError
from fooling.service.jobs import runs
from fooling.service.jobs.models import ENDED, Job, Progress, State
from fooling.service.jobs.places import JobPlaces, Places, id_of
from fooling.service.jobs.records import (
    Record,
    Submission,
    Wish,
    current,
    read_record,
    read_submission,
    read_wish,
)
from fooling.text import plain
from fooling.untrusted import parse_model, read_plain


def no_such(id: str) -> NotFoundError:
    """The error for an id that names nothing, whatever its form."""
    return NotFoundError(f"no job {id[:40]!r}: expected the id of a job or a run in this folder")


def read(places: Places, id: str) -> tuple[Submission, Record, Wish]:
    """The files of a job.

    Raises:
        NotFoundError: there is no such job, or it is being deleted.
        InvalidError: a file of it is damaged.
    """
    try:
        files = places.job(id)
        submission, wish = read_submission(files), read_wish(files)
        record = _record(files)
    except (ValueError, FileNotFoundError, NotADirectoryError):
        raise no_such(id) from None
    if wish is Wish.DELETE:
        raise no_such(id)
    return submission, record, wish


def _study_progress(files: JobPlaces) -> Progress:
    try:
        return parse_model(Progress, read_plain(files.progress, 2**16), files.progress.name)
    except (OSError, InvalidError):
        return Progress()


def _record(files: JobPlaces) -> Record:
    try:
        return read_record(files)
    except InvalidError as error:  # it is written whole, so a disk or a hand has damaged it
        return Record(state=State.FAILED, reason=str(error))


def job_of(places: Places, id: str) -> Job:
    """A job that the service was asked for; errors as for `read`."""
    submission, record, wish = read(places, id)
    directory = places.root / submission.directory
    classes, generations, model, progress = None, submission.generations, submission.model, Progress()
    if submission.kind != "run":
        progress = _study_progress(places.job(id))
    elif is_folder(directory):
        try:
            manifest = runs.read_manifest(directory)
        except (OSError, InvalidError):
            pass
        else:
            classes, model = len(manifest.classifier.spec.labels), manifest.model
            generations = generations or manifest.config.search.generations
            progress = runs.read_ending(directory).progress
    return Job(
        id=id,
        kind=submission.kind,
        state=current(record, wish),
        name=submission.directory,
        label=submission.label,
        model=model,
        seed=submission.seed,
        encoding=submission.encoding,
        search=submission.search,
        classes=classes,
        request=submission.request,
        created=_utc(submission.created),
        started=_utc(record.started) if record.started is not None else None,
        ended=_utc(record.ended) if record.ended is not None else None,
        progress=progress.model_copy(update={"generations": generations, "planned": submission.evaluations}),
        reason=record.reason,
        directory=submission.directory,
    )


def stamp_of_job(places: Places, id: str, directory: str) -> str:
    """A text that changes when `job_of` gives something else; "" where there is no such job."""
    files = places.job(id)
    stamp = []
    for path in (files.record, files.wish, files.progress):
        try:
            found = os.lstat(path)
            stamp.append(f"{found.st_mtime_ns}:{found.st_ino}")
        except OSError:
            stamp.append("")
    return " ".join([*stamp, runs.stamp_of(places.root / directory)]) if stamp[0] else ""


def run_of(places: Places, relative: str) -> Job:
    """A run that the service was not asked for.

    Args:
        relative: its directory, below the root.

    Raises:
        OSError, InvalidError: it is none.
    """
    directory = places.root / relative
    manifest = runs.read_manifest(directory)
    ending = runs.read_ending(directory)
    state = runs.state_of(directory, ending)
    changed = os.lstat(directory / "events.jsonl").st_mtime
    created = runs.moment(manifest.created) or _utc(os.lstat(directory / "manifest.json").st_mtime)
    return Job(
        id=run_id(relative),
        kind="run",
        state=state,
        ours=False,
        name=plain(directory.name),
        model=manifest.model,
        seed=manifest.seed,
        encoding=manifest.config.encoding.name,
        search=manifest.config.search.name,
        classes=len(manifest.classifier.spec.labels),
        created=created,
        started=created,
        ended=_utc(changed) if state in ENDED else None,
        progress=ending.progress.model_copy(update={"generations": manifest.config.search.generations}),
        reason=plain(ending.reason) if state is not State.RUNNING else "",
        directory=relative,
    )


def run_id(relative: str) -> str:
    """The id of a run that the service was not asked for."""
    return id_of(f"run {relative}")


def is_folder(path: Path) -> bool:
    """Whether it is a folder, and no link to one."""
    return path.is_dir() and not path.is_symlink()


def _utc(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
