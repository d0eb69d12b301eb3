"""What people saw in a run's images: `people.jsonl` in its directory, one object a line, to which lines are only added.

A line is a session, which says what a person is shown and in which order, or an answer in one. The service writes the
file, one writer at a time by a lock on the file itself; the process that computes the run never touches it, so what
people said outlives a resume. Like everything in a run directory the file may come from a stranger: lines that are no
records are counted and left out, the last one, torn by a crash, among them.
"""

from __future__ import annotations

import fcntl
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from fooling.errors import FoolingError, InvalidError, NotFoundError, naming_write_errors
from fooling.text import encoded
from fooling.untrusted import checked, parse_json, read_plain
from fooling.validation import Many, Stored

NAME = "people.jsonl"
LONGEST = 2**24  # bytes of the file
MOST_IMAGES = 200  # of a session
LONGEST_PERSON = 80  # characters of a name
Mode = Literal["naming", "choice"]
_Class = Annotated[int, Field(ge=0, lt=2**31)]
_SessionId = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
_Moment = Annotated[str, Field(max_length=40)]


class Trial(Stored, populate_by_name=True):
    """An image that a person is shown.

    Attributes:
        number: the class whose elite it is, or that it was labelled with.
        image: the first half of the SHA-256 of its pixels, in hexadecimal digits.
        sample: of a real image, its number among the samples; None for an elite.
        confidence: of an elite, the classifier's in its class; None for a real image.
        offered: the two classes that can be chosen, one of which is `number`; None where any class can be named.
    """

    number: _Class = Field(alias="class")
    image: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
    sample: Annotated[int, Field(ge=0, lt=2**40)] | None = None
    confidence: Annotated[float, Field(ge=0, le=1)] | None = None
    offered: Many[_Class] | None = Field(None, min_length=2, max_length=2)

    @property
    def real(self) -> bool:
        """Whether it is one of the samples."""
        return self.sample is not None

    @model_validator(mode="after")
    def _possible(self) -> Trial:
        if self.offered is not None and (
            self.number not in self.offered or self.offered[0] == self.offered[1]
        ):
            raise ValueError("expected two classes to choose from, the right one among them")
        return self


class SessionRecord(Stored):
    """The line with which a session begins.

    Attributes:
        session: its id.
        mode: "naming": which class is it, or nothing; "choice": which of two labels did it get.
        person: a name, or "".
        seed: what was shown, and in which order, was drawn from it.
        began: when, UTC.
        options: how many different labels can be given.
        trials: what is shown, in this order.
    """

    event: Literal["session"] = "session"
    session: _SessionId
    mode: Mode
    person: Annotated[str, Field(max_length=LONGEST_PERSON)] = ""
    seed: Annotated[int, Field(ge=0, lt=2**63)]
    began: _Moment
    options: Annotated[int, Field(ge=2, lt=2**31)]
    trials: Many[Trial] = Field(min_length=1, max_length=MOST_IMAGES)

    @model_validator(mode="after")
    def _consistent(self) -> SessionRecord:
        if any((trial.offered is not None) != (self.mode == "choice") for trial in self.trials):
            raise ValueError("expected two classes to choose from in the mode choice, and in no other")
        return self


class AnswerRecord(Stored):
    """The line of an answer.

    Attributes:
        session: the session's id.
        trial: which of its images, from 0 on.
        answer: the class that was given; None for nothing.
        at: when, UTC.
    """

    event: Literal["answer"] = "answer"
    session: _SessionId
    trial: Annotated[int, Field(ge=0, lt=MOST_IMAGES)]
    answer: _Class | None
    at: _Moment


@dataclass(frozen=True)
class Told:
    """What is in the file.

    Attributes:
        sessions: by id, in the order in which they began.
        answers: the first to each image of each session, in the order in which they came.
        damaged: how many lines are no records.
    """

    sessions: Mapping[str, SessionRecord]
    answers: tuple[AnswerRecord, ...]
    damaged: int = 0

    @cached_property
    def _by_session(self) -> dict[str, dict[int, int | None]]:
        found: dict[str, dict[int, int | None]] = {id: {} for id in self.sessions}
        for given in self.answers:
            found[given.session][given.trial] = given.answer
        return found

    def given(self, session: str) -> Mapping[int, int | None]:
        """The answers in a session, by the image's place in it."""
        return self._by_session[session]


NOTHING = Told({}, ())


def read(directory: Path, classes: int) -> Told:
    """What people said of a run with so many classes; `NOTHING` where nobody was asked.

    Raises:
        InvalidError: the file is longer than `LONGEST`, or is none.
    """
    try:
        return _parsed(read_plain(directory / NAME, LONGEST), classes)
    except FileNotFoundError:
        return NOTHING
    except OSError as error:
        raise InvalidError(f"{directory / NAME} can't be read: {error.strerror or error}") from None


def stamp(directory: Path) -> tuple[int, int, int] | None:
    """Changes when something is added; None where there is no file."""
    try:
        about = os.stat(directory / NAME, follow_symlinks=False)
    except OSError:
        return None
    return about.st_ino, about.st_size, about.st_mtime_ns


def begin(directory: Path, record: SessionRecord) -> None:
    """Write down that a session begins, and what it shows.

    Raises:
        NotFoundError: there is no such directory.
        FoolingError: the file is full, or can't be written.
    """
    with _opened(directory) as file:
        _append(file, record)


def add(directory: Path, classes: int, record: AnswerRecord) -> Told:
    """Write down an answer. The same answer twice is one; an answer that was given is never changed.

    Returns:
        What is in the file now.

    Raises:
        NotFoundError: there is no such session.
        InvalidError: it has no such image, or that can't be answered.
        FoolingError: the image was answered otherwise before, or the file is full, or can't be written.
    """
    with _opened(directory) as file:
        told = _parsed(file.content, classes)
        if record.session not in told.sessions:
            raise NotFoundError(f"no session {record.session} in this run")
        if (problem := _misfit(record, told.sessions[record.session], classes)) is not None:
            raise InvalidError(problem)
        before = told.given(record.session)
        if record.trial not in before:
            _append(file, record)
        elif before[record.trial] != record.answer:
            raise FoolingError(f"image {record.trial} was answered before; an answer can't be changed")
        else:
            return told
        return Told(told.sessions, (*told.answers, record), told.damaged)


def _parsed(content: bytes, classes: int) -> Told:
    sessions: dict[str, SessionRecord] = {}
    answers: dict[tuple[str, int], AnswerRecord] = {}
    damaged = 0
    for line in content.splitlines():
        try:
            record = _record(line)
        except InvalidError:
            damaged += 1
            continue
        if isinstance(record, SessionRecord):
            if record.session in sessions or not _within(record, classes):
                damaged += 1
            else:
                sessions[record.session] = record
        elif record.session not in sessions or _misfit(record, sessions[record.session], classes):
            damaged += 1
        else:
            answers.setdefault((record.session, record.trial), record)
    return Told(sessions, tuple(answers.values()), damaged)


def _record(line: bytes) -> SessionRecord | AnswerRecord:
    found = parse_json(line, NAME)
    kind = found.get("event") if isinstance(found, dict) else None
    if kind == "session":
        return checked(SessionRecord, found, NAME)
    return checked(AnswerRecord, found, NAME)


def _within(record: SessionRecord, classes: int) -> bool:
    """Whether a session speaks only of classes that there are."""
    named = {trial.number for trial in record.trials}.union(*(trial.offered or () for trial in record.trials))
    return max(named) < classes and record.options <= classes


def _misfit(record: AnswerRecord, session: SessionRecord, classes: int) -> str | None:
    """What is wrong with an answer in its session; None where nothing is."""
    if record.trial >= len(session.trials):
        return f"expected an image below {len(session.trials)}, found {record.trial}"
    offered = session.trials[record.trial].offered
    if offered is not None and record.answer not in offered:
        return f"expected one of the classes {offered[0]} and {offered[1]}, found {record.answer}"
    if record.answer is not None and record.answer >= classes:
        return f"expected a class below {classes}, found {record.answer}"
    return None


@dataclass(frozen=True)
class _Open:
    """The file, locked.

    Attributes:
        descriptor: to write at its end.
        content: what was in it when it was locked.
    """

    descriptor: int
    content: bytes


@contextmanager
def _opened(directory: Path) -> Iterator[_Open]:
    path = directory / NAME
    flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    if not directory.is_dir():
        raise NotFoundError("the run was deleted")
    with naming_write_errors(path):
        descriptor = os.open(path, flags, 0o644)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise InvalidError(f"{path}: expected a file, found something else")
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        size = os.fstat(descriptor).st_size
        if size > LONGEST:
            raise FoolingError(f"{path} is full: expected at most {LONGEST:,} bytes, found {size:,}")
        yield _Open(descriptor, os.pread(descriptor, size, 0))
    finally:
        os.close(descriptor)  # and gives the lock back


def _append(file: _Open, record: SessionRecord | AnswerRecord) -> None:
    line = encoded(record.model_dump_json(by_alias=True) + "\n")
    torn = b"\n" if file.content and not file.content.endswith(b"\n") else b""
    if len(file.content) + len(torn) + len(line) > LONGEST:
        raise FoolingError(f"{NAME} is full: it holds at most {LONGEST:,} bytes")
    left = memoryview(torn + line)
    with naming_write_errors(NAME):
        while left:
            left = left[os.write(file.descriptor, left) :]
        os.fsync(file.descriptor)
