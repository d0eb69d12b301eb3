"""From what people answered to how much they recognised: pure functions, the one place where answers are counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from fooling.store.people import Mode, Told
from fooling.studies.intervals import wilson
from fooling.studies.recognition.result import Answers, Asked, Judged, People


@dataclass(frozen=True)
class Judgement:
    """An answer that counts.

    Attributes:
        image: what tells the image from others.
        real: whether it is a real image.
        mode: the question.
        right: whether the answer has the label of the image's class. Two classes of one label are the same to a person.
        nothing: whether the answer was that nothing can be seen.
        options: among how many labels a guess would have been.
    """

    image: str
    real: bool
    mode: Mode
    right: bool
    nothing: bool
    options: int


def judgements(told: Told, labels: Sequence[str]) -> tuple[list[Judgement], int]:
    """The answers that count, and how many don't: at the end of a session a person is told the truth, so whoever gives
    a name counts once for each image.

    Args:
        labels: of the run's classes.
    """
    found, repeated = [], 0
    seen: set[tuple[str, str]] = set()
    for given in told.answers:
        session = told.sessions[given.session]
        trial = session.trials[given.trial]
        person = session.person.strip().casefold()
        if person and (person, trial.image) in seen:
            repeated += 1
            continue
        seen.add((person, trial.image))
        right = given.answer is not None and labels[given.answer] == labels[trial.number]
        options = 2 if session.mode == "choice" else session.options
        found.append(Judgement(trial.image, trial.real, session.mode, right, given.answer is None, options))
    return found, repeated


def people_of(told: Told, labels: Sequence[str]) -> People | None:
    """What people said of a run; None where nobody was asked."""
    if not told.sessions and not told.damaged:
        return None
    counted, repeated = judgements(told, labels)
    names = {session.person.strip().casefold() for session in told.sessions.values()} - {""}
    return People(
        sessions=len(told.sessions),
        completed=sum(len(told.given(id)) == len(told.sessions[id].trials) for id in told.sessions),
        names=len(names),
        repeated=repeated,
        damaged=told.damaged,
        **dict(answers_of(counted)),
    )


def answers_of(given: Sequence[Judgement]) -> Answers:
    """The answers by question."""
    return Answers(naming=_asked(given, "naming"), choice=_asked(given, "choice"))


def _asked(given: Sequence[Judgement], mode: Mode) -> Asked | None:
    mine = [one for one in given if one.mode == mode]
    if not mine:
        return None
    return Asked(
        elites=judged(one for one in mine if not one.real), real=judged(one for one in mine if one.real)
    )


def judged(given: Iterable[Judgement]) -> Judged:
    """How the images of some answers were judged."""
    of_image: Counter[str] = Counter()
    right_of_image: Counter[str] = Counter()
    answers = right = nothing = 0
    chance = 0.0
    for one in given:
        of_image[one.image] += 1
        right_of_image[one.image] += one.right
        answers, right, nothing = answers + 1, right + one.right, nothing + one.nothing
        chance += 1 / one.options
    recognised = sum(2 * right_of_image[image] > count for image, count in of_image.items())
    return Judged(
        images=len(of_image),
        recognised=recognised,
        recognised_ci95=wilson(recognised, len(of_image)),
        answers=answers,
        right=right,
        right_ci95=wilson(right, answers),
        nothing=nothing,
        chance=min(1.0, chance / answers) if answers else None,
    )
