"""A person is shown one image after another, and says what they see.

Nothing tells an elite from a real image before the end: images are named by their place in the session, all files of a
session are equally long, and they are made before the first is asked for, so that none takes longer than another.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fooling.service.blind.models import (
    AnswerRequest,
    Blind,
    Label,
    Question,
    Session,
    SessionRequest,
    Truth,
    Truths,
)
from fooling.service.blind.samples import Album, Albums
from fooling.service.caches import Cache
from fooling.service.images import Picture, picture_of
from fooling.service.problems import ProblemError
from fooling.service.reading import Reader, Reading
from fooling.store import people
from fooling.store.people import AnswerRecord, SessionRecord, Told

if TYPE_CHECKING:
    from fooling.store.snapshot import Snapshot

_KEPT = 2**26  # bytes of the images of sessions
_NO_ELITES = "this run has no elite to show (yet)"
_UNCOMPRESSED = 0
Pictures = tuple[Picture | None, ...]


@dataclass(frozen=True)
class _Sitting:
    """A session, and the run that it is about.

    Attributes:
        id: the run's.
        record: what is shown.
        told: all that people said of the run.
        view: the run.
        pictures: the image of each trial; None where it is no longer there.
    """

    id: str
    record: SessionRecord
    told: Told
    view: Snapshot
    pictures: Pictures

    @property
    def left(self) -> list[int]:
        """The trials that can be answered and are not yet, in order."""
        given = self.told.given(self.record.session)
        return [
            place for place, found in enumerate(self.pictures) if found is not None and place not in given
        ]

    def address(self, place: int) -> str:
        return f"/api/v1/runs/{self.id}/blind/{self.record.session}/{place}.png"

    def labels(self, numbers: Sequence[int] | None) -> tuple[Label, Label] | None:
        if numbers is None:
            return None
        first, second = (Label(number=number, label=self.view.labels[number]) for number in numbers)
        return first, second


class Sessions:
    """The sessions about the runs of a folder. May be used from any thread."""

    def __init__(self, reader: Reader, samples: Sequence[Path]) -> None:
        """`samples` are the albums that real images are taken from."""
        self._reader = reader
        self._albums = Albums(samples)
        self._pictures: Cache[Pictures] = Cache(_KEPT, _size)

    def said(self, id: str) -> list[str]:
        """What people recognised in a run, in sentences. The run is read only where somebody was asked.

        Raises:
            ProblemError: there is no such run, or it can't be read.
        """
        from fooling.present.recognition import sentences

        reading = self._reader.reading(id) if self._reader.was_asked(id) else None
        found = self._reader.people(id, reading) if reading is not None else None
        return sentences(found, reading.view.spec.config.encoding.name) if reading and found else []

    def about(self, id: str) -> Blind:
        """What people can be asked about a run, and what they said.

        Raises:
            ProblemError: there is no such run, or it can't be read.
        """
        from fooling.present.facts import encoding_name
        from fooling.present.recognition import sentences

        job, reading = self._reader.job(id, "run"), self._reader.reading(id)
        fields = {"id": id, "name": job.name, "label": job.label, "model": job.model}
        if reading is None:
            return Blind(
                **fields, encoding="", elites=0, control=False, no_control=_NO_ELITES, labels=[], people=None, said=[]
            )  # fmt: skip
        view, said = reading.view, self._reader.people(id, reading)
        encoding = view.spec.config.encoding.name
        first = {label: number for number, label in reversed(list(enumerate(view.labels)))}
        album = self._album(view)
        return Blind(
            **fields,
            encoding=encoding_name(encoding),
            elites=int(view.occupied.sum()),
            control=album.listed is not None,
            no_control=album.why,
            labels=[Label(number=number, label=label) for label, number in sorted(first.items(), key=lambda of: of[1])],
            people=said,
            said=sentences(said, encoding) if said else [],
        )  # fmt: skip

    def begin(self, id: str, request: SessionRequest) -> Session:
        """Draw what is shown, and write it down.

        Raises:
            ProblemError: there is no such run, or nothing in it that could be shown.
        """
        from fooling.studies.recognition.trials import draw

        self._reader.job(id, "run")
        view = self._reading(id).view
        seed = secrets.randbits(63) if request.seed is None else request.seed
        with self._reader.explained():
            shown = draw(view, self._album(view).listed, request.mode, request.images, seed)
            record = SessionRecord(
                session=secrets.token_hex(16),
                mode=request.mode,
                person=request.person.strip(),
                seed=seed,
                began=_now(),
                options=len(set(view.labels)),
                trials=tuple(one.trial for one in shown),
            )
            self._pictures.get((id, record.session), lambda: _drawn([one.pixels for one in shown]))
            people.begin(view.directory, record)
        return _told(self._sitting(id, record.session))

    def session(self, id: str, session: str) -> Session:
        """How far a person is.

        Raises:
            ProblemError: there is no such session.
        """
        return _told(self._sitting(id, session))

    def answer(self, id: str, session: str, request: AnswerRequest) -> Session:
        """Take an answer, once.

        Raises:
            ProblemError: there is no such session or image, another image's turn, or it was answered otherwise before.
        """
        sitting = self._sitting(id, session)
        if sitting.left and request.image > sitting.left[0]:
            raise ProblemError(409, f"image: expected an answer to image {sitting.left[0]} first")
        record = AnswerRecord(session=session, trial=request.image, answer=request.answer, at=_now())
        given = sitting.told.given(session)
        if given.get(request.image, request.answer) != request.answer:
            raise ProblemError(409, "this image was answered before, and an answer can't be changed")
        with self._reader.explained():
            told = people.add(sitting.view.directory, len(sitting.view.labels), record)
        return _told(_Sitting(id, sitting.record, told, sitting.view, sitting.pictures))

    def picture(self, id: str, session: str, place: int) -> Picture:
        """The PNG of an image of a session.

        Raises:
            ProblemError: there is no such session or image.
        """
        pictures = self._sitting(id, session).pictures
        found = pictures[place] if place < len(pictures) else None
        if found is None:
            raise ProblemError(404, "this session has no such image (any more)")
        return found

    def truth(self, id: str, session: str) -> Truths:
        """What each image was.

        Raises:
            ProblemError: there is no such session, or an image waits for its answer.
        """
        from fooling.studies.recognition.statistics import answers_of, judgements, people_of

        sitting = self._sitting(id, session)
        if sitting.left:
            raise ProblemError(
                409, f"the truth comes at the end: {len(sitting.left)} images wait for an answer"
            )
        labels, given = sitting.view.labels, sitting.told.given(session)
        mine = Told(
            {session: sitting.record}, tuple(one for one in sitting.told.answers if one.session == session)
        )
        everybody = people_of(sitting.told, labels)
        assert everybody is not None  # this session is among them
        return Truths(
            session=session,
            mode=sitting.record.mode,
            items=[_truth(sitting, place, given[place]) for place in sorted(given)],
            yours=answers_of(judgements(mine, labels)[0]),
            people=everybody,
        )

    def _sitting(self, id: str, session: str) -> _Sitting:
        self._reader.job(id, "run")
        reading = self._reading(id)
        told = self._reader.said(id, reading)
        if session not in told.sessions:
            raise ProblemError(404, "there is no such session")
        record, view = told.sessions[session], reading.view
        pictures = self._pictures.get((id, session), lambda: self._drawn_again(view, record))
        return _Sitting(id, record, told, view, pictures)

    def _reading(self, id: str) -> Reading:
        reading = self._reader.reading(id)
        if reading is None:
            raise ProblemError(409, _NO_ELITES)
        return reading

    def _album(self, view: Snapshot) -> Album:
        with self._reader.explained():
            return self._albums.of(view.spec.classifier.spec)

    def _drawn_again(self, view: Snapshot, record: SessionRecord) -> Pictures:
        """The images of a session that this process did not begin."""
        from fooling.studies.recognition.trials import again

        return _drawn(again(view, self._album(view).listed, record.trials))


def _drawn(images: Sequence[NDArray[np.uint8] | None]) -> Pictures:
    """PNGs of equal length: they are not compressed, for noise and a photograph would be told apart by that."""
    from fooling.store.elites import encode

    return tuple(
        None if pixels is None else picture_of(encode(pixels, level=_UNCOMPRESSED)) for pixels in images
    )


def _size(pictures: Pictures) -> int:
    return sum(len(found.data) + 256 for found in pictures if found is not None)


def _told(sitting: _Sitting) -> Session:
    left, record = sitting.left, sitting.record
    answered = len(sitting.told.given(record.session))
    question = None
    if left:
        offered = sitting.labels(record.trials[left[0]].offered)
        question = Question(number=left[0], image=sitting.address(left[0]), offered=offered)
    return Session(
        session=record.session,
        mode=record.mode,
        person=record.person,
        total=answered + len(left),
        answered=answered,
        question=question,
        following=sitting.address(left[1]) if len(left) > 1 else None,
    )


def _truth(sitting: _Sitting, place: int, said: int | None) -> Truth:
    trial, labels = sitting.record.trials[place], sitting.view.labels
    return Truth(
        image=None if sitting.pictures[place] is None else sitting.address(place),
        real=trial.real,
        was=Label(number=trial.number, label=labels[trial.number]),
        said=None if said is None else Label(number=said, label=labels[said]),
        right=said is not None and labels[said] == labels[trial.number],
        confidence=trial.confidence,
        offered=sitting.labels(trial.offered),
    )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
