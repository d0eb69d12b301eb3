"""What goes in and out where people are asked what they see."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from fooling.service.schema import Answer, Part
from fooling.store.people import LONGEST_PERSON, MOST_IMAGES, Mode
from fooling.studies.recognition.result import Answers, People


class SessionRequest(Part):
    """Begin to ask a person."""

    mode: Mode = Field(description='"naming": which class is it, or nothing; "choice": which of two labels')
    images: int = Field(20, ge=1, le=MOST_IMAGES, description="how many are shown, where there are so many")
    person: Annotated[str, Field(max_length=LONGEST_PERSON)] = Field("", description="a name, or none")
    seed: int | None = Field(None, ge=0, lt=2**63, description="of what is shown (default: any)")


class AnswerRequest(Part):
    """What a person sees."""

    image: int = Field(ge=0, lt=MOST_IMAGES, description="its place in the session, from 0 on")
    answer: int | None = Field(ge=0, lt=2**31, description="a class; null for nothing")


class Label(Answer):
    """A class and its name, which is text of whoever made the classifier."""

    number: int = Field(alias="class")
    label: str


class Question(Answer):
    """An image that waits for an answer, and nothing that tells what it is."""

    number: int = Field(description="its place in the session, from 0 on")
    image: str = Field(description="where its PNG is, on this server")
    offered: tuple[Label, Label] | None = Field(
        description="the two to choose from; null: any class, or nothing"
    )


class Session(Answer):
    """How far a person is."""

    session: str
    mode: Mode
    person: str
    total: int = Field(description="images in all")
    answered: int
    question: Question | None = Field(description="null where all are answered: the truth can be told")
    following: str | None = Field(description="the PNG of the image that comes next, to be fetched early")


class Truth(Answer):
    """An image, what it was, and what the person said."""

    image: str | None = Field(description="where its PNG is; null where the image is no longer there")
    real: bool = Field(description="whether it is a real image; else it is an elite")
    was: Label
    said: Label | None = Field(description="null for nothing")
    right: bool
    confidence: float | None = Field(description="of an elite, the classifier's in its class")
    offered: tuple[Label, Label] | None


class Truths(Answer):
    """The truth about a session, image by image, and how it was judged."""

    session: str
    mode: Mode
    items: list[Truth]
    yours: Answers = Field(description="how many this person got right")
    people: People = Field(description="all people who were asked about this run")


class Blind(Answer):
    """What a person can be asked about a run."""

    id: str
    name: str
    label: str
    model: str
    encoding: str = Field(description='as people write it; "" before the run has begun')
    elites: int
    control: bool = Field(description="whether there are real images of its classes")
    no_control: str = Field(description='why not, or ""')
    labels: list[Label] = Field(description="what can be named; of classes with one label, the first")
    people: People | None
    said: list[str] = Field(description="the same in words")
