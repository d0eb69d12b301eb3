"""Runs as the service shows them: read from their directories, never from a process that computes.

A run directory may come from a stranger; whatever is wrong with one is a problem of that run, told without a path.
Nothing here opens a classifier.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fooling.errors import FoolingError, InvalidError, NotFoundError
from fooling.service.caches import Cache
from fooling.service.columns import columns
from fooling.service.jobs import ENDED, ConflictError, Job, Jobs, QueueFullError, State
from fooling.service.problems import ProblemError, data_without_paths, without_paths
from fooling.service.schema import Classes, Elite, First, Run

if TYPE_CHECKING:
    from fooling.store.people import Told
    from fooling.store.snapshot import Snapshot
    from fooling.studies.recognition.result import People

_IN_MEMORY = 2**24  # bytes: larger arrays are left in their file, and images read from there one by one
Stamp = tuple[tuple[str, int, int], ...]


@dataclass(frozen=True)
class Reading:
    """A run as its newest checkpoint has it.

    Attributes:
        stamp: changes when there is a newer checkpoint.
        view: what it holds.
    """

    stamp: Stamp
    view: Snapshot

    @cached_property
    def found(self) -> dict[str, Any]:
        """What a run has found, as the fields of `Run`."""
        from fooling.store.summary import summary

        told = summary(self.view).document()
        keys = "config generations archive_sha256 lineage_sha256 replacements goal_switches nan_images top1"
        return {
            **{key: told[key] for key in keys.split()},
            "confidence": told["confidence"],
            "size": tuple(self.view.archive.pixels.shape[1:3]),
            "groups": sorted(self.view.groups),
        }

    @cached_property
    def columns(self) -> bytes:
        """The elites as the JSON of `Columns`."""
        return columns(self.view).model_dump_json().encode()

    @cached_property
    def classes(self) -> bytes:
        """The labels and groups as the JSON of `Classes`."""
        groups = {name: list(members) for name, members in self.view.groups.items()}
        return Classes(labels=list(self.view.labels), groups=groups).model_dump_json().encode()

    @property
    def bytes(self) -> int:
        """Of memory, about."""
        pixels = self.view.archive.pixels
        held = int(pixels.nbytes) if isinstance(pixels, np.ndarray) else 0
        return min(held, _IN_MEMORY) + 2**20 + 1024 * len(self.view.labels)


class Reader:
    """Reads the runs of a folder, each once for each checkpoint. May be used from any thread."""

    def __init__(self, jobs: Jobs, root: Path, most_bytes: int) -> None:
        self._jobs, self._root = jobs, str(root)
        self._said: Cache[Told] = Cache(most_bytes // 16, lambda told: 4096 + 512 * len(told.answers))
        self._readings: Cache[Reading] = Cache(most_bytes, lambda reading: reading.bytes)

    @contextmanager
    def explained(self) -> Iterator[None]:
        """What goes wrong in this block, as a problem.

        Raises:
            ProblemError: in place of any FoolingError.
        """
        try:
            yield
        except FoolingError as error:
            raise problem_of(error, self._root) from None

    def job(self, id: str, kind: str | None = None) -> Job:
        """A job, without what its messages say of this machine.

        Args:
            kind: "run", "study" (any that is no run), or None for either.

        Raises:
            ProblemError: 404: there is none of this id and kind; 409: its files are damaged.
        """
        try:
            found = self._jobs.get(id)
        except InvalidError as error:
            raise self._damaged(error) from None
        except FoolingError as error:
            raise problem_of(error, self._root) from None
        if kind is not None and (found.kind == "run") != (kind == "run"):
            raise ProblemError(404, "there is nothing of this id")
        return self.told(found)

    def told(self, job: Job) -> Job:
        """A job as it may be sent out."""
        texts = {"reason": job.reason, "model": job.model, "request": job.request}
        return job.model_copy(update=data_without_paths(texts, self._root))

    def reading(self, id: str) -> Reading | None:
        """A run by its newest checkpoint; None before it has begun.

        Raises:
            ProblemError: 404: there is no such run; 409: its directory is damaged.
        """
        return self._read(id, lambda key, read: self._readings.get(key, read))

    def glance(self, id: str) -> Reading | None:
        """The same, not kept for the next request: who looks at many runs leaves those that somebody works with."""
        return self._read(id, lambda key, read: self._readings.peek(key) or read())

    def stamp(self, id: str) -> Stamp | None:
        """What changes when a run has a newer checkpoint; None before it has begun.

        Raises:
            ProblemError: 404: there is no such run.
        """
        with self.explained():
            return _stamp(self._jobs.directory(id))

    def _read(self, id: str, get: Callable[[Hashable, Callable[[], Reading]], Reading]) -> Reading | None:
        with self.explained():
            directory = self._jobs.directory(id)
        stamp = _stamp(directory)
        if stamp is None:
            return None
        try:
            return get((id, stamp), lambda: _read(directory, stamp))
        except NotFoundError:
            return None  # it is being made, or was deleted just now
        except FoolingError as error:
            if _stamp(directory) is None:
                return None  # it was moved away while it was read
            raise self._damaged(error) from None

    def _damaged(self, error: FoolingError) -> ProblemError:
        return ProblemError(409, f"this run can't be read: {without_paths(str(error), self._root)}")

    def run(self, id: str) -> Run:
        """A run with what it has found.

        Raises:
            ProblemError: 404: there is no such run.
        """
        job = self.job(id, "run")
        reading = self.reading(id)
        if reading is None:
            return Run(**dict(job))
        found = data_without_paths(reading.found, self._root)
        return Run(**dict(job), **found, people=self.people(id, reading))

    def was_asked(self, id: str) -> bool:
        """Whether people were asked about a run."""
        from fooling.store import people

        with self.explained():
            return people.stamp(self._jobs.directory(id)) is not None

    def said(self, id: str, reading: Reading) -> Told:
        """What people said of a run; nothing where their file can't be read, which costs the run nothing else."""
        from fooling.store import people

        directory = reading.view.directory
        stamp = people.stamp(directory)
        if stamp is None:
            return people.NOTHING
        try:
            return self._said.get((id, stamp), lambda: people.read(directory, len(reading.view.labels)))
        except FoolingError:
            return people.NOTHING

    def people(self, id: str, reading: Reading) -> People | None:
        """What people recognised in a run; None where nobody was asked."""
        from fooling.studies.recognition.statistics import people_of

        return people_of(self.said(id, reading), reading.view.labels)


def problem_of(error: FoolingError, root: str) -> ProblemError:
    """An error of the rest of the software as a problem."""
    detail = without_paths(str(error), root)
    if isinstance(error, NotFoundError):
        return ProblemError(404, detail)
    if isinstance(error, ConflictError):
        return ProblemError(409, detail)
    if isinstance(error, QueueFullError):
        return ProblemError(429, detail, {"retry-after": "60"})
    return ProblemError(422, detail)


def is_final(job: Job) -> bool:
    """Whether a run's images never change again: a run that failed may be resumed."""
    return job.state in ENDED and job.state is not State.FAILED


def first_answers(view: Snapshot, numbers: Sequence[int]) -> list[First | None]:
    """What the classifier answers first to the elites of some classes; None where that is not known."""
    top1, sure = view.archive.elite_top1()
    return [
        First(number=answer, label=view.labels[answer], confidence=confidence) if answer >= 0 else None
        for answer, confidence in zip(top1[list(numbers)].tolist(), sure[list(numbers)].tolist(), strict=True)
    ]


def elites_of(id: str, view: Snapshot, numbers: Sequence[int]) -> list[Elite]:
    """The elites of some classes of a run, each of which has one.

    Args:
        id: of the run.
    """
    return [
        Elite(
            number=number,
            label=view.labels[number],
            confidence=float(view.confidence[number]),
            generation=int(view.ids[number, 0]),
            id="/".join(map(str, view.ids[number].tolist())),
            image=f"/api/v1/runs/{id}/elites/{number}.png",
            top1=first,
        )
        for number, first in zip(numbers, first_answers(view, numbers), strict=True)
    ]


def _stamp(directory: Path) -> Stamp | None:
    """Names, sizes and times of the checkpoints; None where there is no run directory yet."""
    import os

    if not (directory / "manifest.json").is_file():
        return None
    found = []
    try:
        with os.scandir(directory / "checkpoints") as entries:
            for entry in entries:
                if entry.name.endswith(".safetensors"):
                    about = entry.stat(follow_symlinks=False)
                    found.append((entry.name, about.st_mtime_ns, about.st_size))
    except OSError:
        pass
    return tuple(sorted(found))


def _read(directory: Path, stamp: Stamp) -> Reading:
    from fooling.store.reading import open_run

    return Reading(stamp, open_run(directory, _IN_MEMORY))
