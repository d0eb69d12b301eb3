"""What people recognised, as data: what is asked, what `fooling recognition --json` prints, and the key `people` of a
run. docs/recognition.md describes the keys."""

from __future__ import annotations

from fooling.studies import protocol
from fooling.studies.protocol import AnyPath, Interval
from fooling.validation import Data, Many


class Request(protocol.Request):
    """Ask what people saw in the images of runs.

    Attributes:
        runs: the run directories.
    """

    runs: Many[AnyPath]


class Judged(Data):
    """How people judged images of one kind.

    Attributes:
        images: how many there are, each counted once however many people saw it.
        recognised: of those, the ones that more than half of their answers name rightly.
        recognised_ci95: Wilson's interval of that share; None where there are no images.
        answers: how many were given.
        right: of those, the right ones.
        right_ci95: Wilson's interval of that share, as if no two answers were of one person or about one image.
        nothing: answers that nothing can be seen.
        chance: the share of answers that guessing would have right; None where there are no answers.
    """

    images: int
    recognised: int
    recognised_ci95: Interval | None
    answers: int
    right: int
    right_ci95: Interval | None
    nothing: int
    chance: float | None


class Asked(Data):
    """The answers to one question.

    Attributes:
        elites: about elites. An answer is right that names the elite's class.
        real: about real images among them, the control. An answer is right that names the image's class.
    """

    elites: Judged
    real: Judged


class Answers(Data):
    """What people said, by the question that they were asked.

    Attributes:
        naming: "which class is it, or nothing?"; None where nobody has answered that.
        choice: "which of these two labels did it get?"; None likewise.
    """

    naming: Asked | None
    choice: Asked | None


class People(Answers):
    """What people said of one run.

    Attributes:
        sessions: how many were begun.
        completed: how many were answered to their end.
        names: how many different names were given; who gives none is counted nowhere here.
        repeated: answers that are not counted: the same name had judged the same image before.
        damaged: lines of the file that could not be read.
    """

    sessions: int
    completed: int
    names: int
    repeated: int
    damaged: int


class RunPeople(Data):
    """A run, and what people said of it.

    Attributes:
        run: the run directory.
        model: the SPEC of its classifier.
        encoding: the name of its encoding.
        people: what they said; None where nobody was asked.
    """

    run: str
    model: str
    encoding: str
    people: People | None


class EncodingPeople(Answers):
    """What people said of all runs with one encoding.

    Attributes:
        encoding: its name.
        runs: how many of them people judged.
    """

    encoding: str
    runs: int


class Result(protocol.Result):
    """What people saw in the images of runs.

    Attributes:
        runs: in the order of the request.
        encodings: the same answers by encoding, those without any left out.
    """

    runs: Many[RunPeople]
    encodings: Many[EncodingPeople]
