"""What goes in and out of the API, as models that the server, the client and the OpenAPI document share.

What the service tells of a run or a study is a `fooling.service.jobs.Job`.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from fooling.service.jobs.models import Job, State
from fooling.studies.recognition.result import People

__all__ = ["Job", "State"]

Id = Annotated[str, Field(pattern=r"^[0-9a-f]{20}$", description="an id of a run or a study")]
Scalar = bool | int | float | str
Words = Annotated[str, Field(max_length=200)]
Spec = Annotated[str, Field(min_length=1, max_length=1024)]
Share = Annotated[float, Field(ge=0, le=1)]


class Part(BaseModel):
    """A part of a request: strict types, no unknown keys."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)


class Answer(BaseModel):
    """A part of a response. A newer server may add keys."""

    model_config = ConfigDict(frozen=True, populate_by_name=True)


class RunRequest(Part):
    """A run to launch."""

    config: Annotated[str, Field(max_length=100)] | None = Field(
        None,
        description="the name of a ready-made config, as `GET /configs` lists them (default: mnist-cppn)",
    )
    model: Spec | None = Field(
        None, description="a SPEC, as `GET /models` lists them (default: the config's)"
    )
    seed: int | None = Field(None, ge=0, lt=2**63, description="of all randomness (default: the config's)")
    set: dict[Annotated[str, Field(max_length=100)], Scalar | list[Scalar]] = Field(
        {}, max_length=64, description="settings by dotted key, such as search.generations"
    )
    label: Words = Field("", description="words of yours, by which the run is found again")


class MoveRequest(Part):
    """A place in the queue."""

    before: Id | None = Field(None, description="the job that is going to be the next one; null: the end")


class Estimate(Answer):
    """What a run is going to cost. What is not known is null.

    Attributes:
        images: that it classifies.
        images_per_second: in the newest runs of the same model, encoding and search in the folder.
        seconds: of computing, at most, where it may stop early.
        waiting: jobs that wait before it.
        config: a config in TOML of the same run.
        command: the command line that runs it.
    """

    images: int | None
    images_per_second: float | None
    seconds: float | None
    waiting: int
    config: str
    command: str


class Jobs(Answer):
    """A page of runs or studies, newest first."""

    items: list[Job]
    next: str | None = Field(description="the `cursor` of the page that follows; null at the end")
    total: int = Field(description="how many there are on all pages together")


class Statistics(Answer):
    """Confidences over the classes that the search is for; one without an elite counts as 0."""

    classes: int
    occupied: int
    median: float
    mean: float
    min: float
    max: float
    at_least_99: int = Field(alias="at_least_0.99")
    at_least_9999: int = Field(alias="at_least_0.9999")


class Run(Job):
    """A run, and what it has found by its newest checkpoint.

    Attributes:
        config: every resolved setting; null before the run has begun, like all that follow.
        generations: completed after the first, random population.
        archive_sha256: the digest of the elites, as `fooling run --json` prints it.
        lineage_sha256: the digest of the lineage.
        confidence: statistics of the elites.
        size: height and width of the images in pixels.
        top1: how many elites the classifier answers first with their class; null where that is not known.
        people: what people recognised in its elites; null where nobody was asked.
    """

    config: dict[str, Any] | None = None
    generations: int | None = None
    archive_sha256: str | None = None
    lineage_sha256: str | None = None
    confidence: Statistics | None = None
    replacements: int | None = None
    goal_switches: int | None = None
    nan_images: int | None = None
    top1: int | None = None
    size: tuple[int, int] | None = None
    groups: tuple[str, ...] = ()
    people: People | None = None


class Study(Job):
    """A study, and what it has found; `result` is null until it is completed."""

    result: dict[str, Any] | None = None


class First(Answer):
    """What the classifier answers first to an elite."""

    number: int = Field(alias="class")
    label: str
    confidence: float


class Elite(Answer):
    """The best image of a class so far. Labels are text of whoever made the classifier: show them as text, never as
    markup."""

    number: int = Field(alias="class")
    label: str
    confidence: float
    generation: int
    id: str = Field(description="generation/stream/child, within the run")
    image: str = Field(description="where its PNG is, on this server")
    top1: First | None


class VariationRequest(Part):
    """Other weights for the network of an elite."""

    weights: dict[
        Annotated[int, Field(strict=False, ge=0, lt=2**20)], Annotated[float, Field(strict=False)]
    ] = Field(
        {}, max_length=4096, description="the new weight of an edge, by its place in the genotype's `edges`"
    )
    size: int | None = Field(
        None, ge=1, le=512, description="pixels of the longer side of the image (default: as classified)"
    )
    ask: bool = Field(True, description="whether the run's classifier is asked what it sees")
    id: Words | None = Field(
        None,
        description="the elite's `id`; 409 where the class has another elite by now (default: the one of now)",
    )


class AskRequest(Part):
    """A question to a classifier."""

    model: Spec | None = Field(None, description="a SPEC, as `GET /models` lists them (default: the run's)")
    id: Words | None = Field(None, description="as in a variation")


class Asked(Answer):
    """What a classifier says of an image."""

    model: str
    same: bool = Field(description="whether it is the classifier of the run, by its fingerprint")
    top: list[First] = Field(
        description="the five classes that it is surest of; empty where it has no answer"
    )
    own: First | None = Field(
        description="what it says of the class that the image was evolved for; null where it has no such class"
    )


class Variation(Answer):
    """A network that was changed."""

    png: str = Field(description="its image, as a PNG in base64")
    asked: Asked | None = Field(
        description="what the run's classifier says of it at the size that it classifies"
    )


class Elites(Answer):
    """A page of a run's elites, by its newest checkpoint."""

    items: list[Elite]
    next: str | None = Field(description="the `cursor` of the page that follows; null at the end")
    total: int = Field(description="how many elites the filters let through, on all pages together")
    generation: int = Field(description="of the checkpoint; -1 before the first")


class Held(Answer):
    """A class whose elite an ancestor was when it became a parent; for the elite itself, the class asked for."""

    number: int = Field(alias="class")
    label: str
    confidence: float | None = Field(description="that it had then, where the log tells")


class Ancestor(Answer):
    """An image on the way to an elite, or the elite itself."""

    id: str
    generation: int
    parents: list[str]
    held: list[Held]
    line: bool = Field(description="whether it is on the way without the mates")


class Lineage(Answer):
    """Where an elite came from, the oldest ancestor first."""

    number: int = Field(alias="class")
    label: str
    confidence: float
    ancestors: list[Ancestor]
    goal_switches: int
    replacements: int


class Columns(Answer):
    """The elites of all classes that a run's search is for, as columns of equal length, by its newest checkpoint; null
    stands where a class has no elite, or where something of it is not known."""

    generation: int = Field(description="of the checkpoint; -1 before the first")
    classes: list[int] = Field(description="ascending")
    confidence: list[float | None]
    found: list[int | None] = Field(description="the generation in which the elite was found")
    stream: list[int | None]
    child: list[int | None] = Field(description="with `found` and `stream`, the elite's id within the run")
    top1: list[int | None] = Field(description="the class that the classifier answers first to the elite")
    top1_confidence: list[float | None]


class Classes(Answer):
    """What a run's classifier calls its classes. Labels are text of whoever made it."""

    labels: list[str]
    groups: dict[str, list[int]]


class Replacement(Answer):
    """A class that got a better elite."""

    generation: int
    number: int = Field(alias="class")
    confidence: float


class Notice(Answer):
    """Something that happened to a run besides its generations: a resume, a warning, its end."""

    id: str
    event: str
    generation: int = Field(description="after which it happened; -1 before the first")
    text: str = ""


class History(Answer):
    """What a run's log says so far: its curve of at most a thousand rows, the newest replacements and notices, newest
    first."""

    generation: int = Field(description="the last one in the log; -1 before the first")
    curve: list[list[float | int | None]] = Field(
        description="rows of generation, evaluations, min, median, max, and how many classes are at 0.99 and 0.9999"
    )
    replacements: list[Replacement]
    notices: list[Notice]


class Frame(Answer):
    """An ancestor of an elite, or the elite itself, as a picture of its film."""

    id: str = Field(description="generation/stream/child, within the run")
    generation: int
    held: list[Held]
    image: str | None = Field(description="where its PNG is; null where it can't be drawn")


class Film(Answer):
    """The line of an elite's ancestors, the oldest first, without mates."""

    number: int = Field(alias="class")
    label: str
    confidence: float
    frames: list[Frame]
    why: str = Field(description="why some can't be drawn; empty where all can")


class Model(Answer):
    """A classifier that requests may name."""

    spec: str


class Models(Answer):
    """All of them."""

    items: list[Model]
    next: None = None


class Config(Answer):
    """A ready-made config."""

    name: str
    description: str
    model: str = Field(description='its classifier; "" where it leaves that to the request')
    launchable: bool = Field(
        description="whether its classifier is one that requests may name, or left to them"
    )


class Configs(Answer):
    """All of them."""

    items: list[Config]
    next: None = None


class Health(Answer):
    """That the server answers."""

    status: Literal["ok"] = "ok"


class Login(Answer):
    """A link that logs a browser in once."""

    login: str
