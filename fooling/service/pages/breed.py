"""The page on which people choose among CPPN images; docs/breed.md says what their choices do."""

from __future__ import annotations

import secrets
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from fooling.search.line.steps import CHILDREN, LONGEST, MOST_STEPS, USUAL_SIZE, Step, from_text, to_text
from fooling.service.breeding.origin import Origin, from_run, from_seed
from fooling.service.context import Shared
from fooling.service.pages.drawing import draw
from fooling.service.problems import ProblemError
from fooling.service.schema import Answer, First, Job, RunRequest

router = APIRouter()
From = Annotated[
    str | None,
    Query(
        alias="from",
        pattern=r"^[0-9a-f]{20}/[0-9]{1,7}(/[0-9]{1,10}-[0-9]{1,8}-[0-9]{1,10})?$",
        description="a run and a class: RUN/CLASS",
    ),
]
Seed = Annotated[int | None, Query(ge=0, lt=2**63)]
Spec = Annotated[str | None, Query(min_length=1, max_length=1024)]
Colour = Annotated[str | None, Query(pattern=r"^(grey|hls|hsv|rgb)$")]
Steps = Annotated[str, Query(max_length=LONGEST, description="what was chosen so far")]
Place = Annotated[int, Query(ge=0, lt=CHILDREN, description="a child")]
Side = Annotated[int | None, Query(ge=1, le=2**20, description="pixels of the longer side")]
_KEEP = {"cache-control": "private, max-age=31536000, immutable"}  # an address never shows another image


class Line:
    """A line as an address tells it."""

    def __init__(self, shared: Shared, start: From = None, seed: Seed = None, model: Spec = None,
                 colour: Colour = None, steps: Steps = "") -> None:  # fmt: skip
        self.origin: Origin
        with shared.reader.explained():
            self.steps = from_text(steps)
            if start is None:
                self.is_new = None in (seed, model, colour)
                self.origin = from_seed(
                    shared.reader,
                    shared.jobs,
                    shared.settings.models,
                    secrets.randbelow(10**6) if seed is None else seed,
                    model,
                    colour,
                )
            else:
                run, number, *identity = start.split("/")
                self.is_new = not identity
                self.origin = from_run(
                    shared.reader,
                    shared.settings.models,
                    run,
                    int(number),
                    identity[0] if identity else None,
                    seed or 0,
                    model,
                )


Asked = Annotated[Line, Depends()]


class Generation(Answer):
    """A choice on the way.

    Attributes:
        steps: those before it, as text.
        choice: the step, as text.
        picked, rejected: the children.
        size: of the mutations.
    """

    steps: str
    choice: str
    picked: tuple[int, ...]
    rejected: tuple[int, ...]
    size: int


class Breeding(Answer):
    """Children to choose among.

    Attributes:
        address: of the line, without `steps`: parts of a query.
        query: the same as text.
        steps: what was chosen so far, as text.
        way: the same, choice by choice.
        parents: of each child, its parent's place among the children of `parents_steps`; null where it has none there.
        parents_steps: the steps before the children that the parents were among; null where they have none.
        most: steps that a line may have.
        run, number, label: the elite that it begins with; null where it begins with random images.
        model: that is asked about the images.
        models: that may be asked.
        size: of the images that it is shown: height and width in pixels.
        can_grow: whether they can be drawn at another size.
        mutations: the size to begin with.
        save: what to ask `POST /api/v1/runs` for to compute the line as a run.
    """

    address: dict[str, str]
    query: str
    steps: str
    way: tuple[Generation, ...]
    parents: tuple[int | None, ...]
    parents_steps: str | None
    most: int
    run: Job | None
    number: int | None
    label: str | None
    model: str
    models: tuple[str, ...]
    size: tuple[int, int]
    can_grow: bool
    mutations: int
    save: RunRequest


class Said(Answer):
    """What a classifier makes of a child.

    Attributes:
        top: the classes that it is surest of, the surest first; empty where it has no confidence.
        own: its confidence in the class that the line began with; null where there is none.
    """

    top: tuple[First, ...]
    own: float | None


class SaidOfAll(Answer):
    """What a classifier makes of the children, in their order."""

    model: str
    children: tuple[Said, ...]


@router.get("/breed.json")
def twin(asked: Asked, shared: Shared) -> Breeding:
    """The children of a line. Nothing is drawn yet; what is wrong with the line is told."""
    origin, steps = asked.origin, asked.steps
    with shared.reader.explained():
        shared.lines.brood(origin, steps)
    way = tuple(
        Generation(steps=to_text(steps[:number]), choice=step.text, picked=step.picked, rejected=step.rejected, size=step.size)
        for number, step in enumerate(steps)
    )  # fmt: skip
    parents, parents_steps = _parents(origin, steps)
    height, width, _ = origin.encoding.image_shape
    return Breeding(
        address=origin.address,
        query=origin.query,
        steps=to_text(steps),
        way=way,
        parents=parents,
        parents_steps=parents_steps,
        most=MOST_STEPS,
        run=None if origin.run is None else shared.reader.job(origin.run, "run"),
        number=origin.number,
        label=origin.label,
        model=origin.model,
        models=shared.settings.models,
        size=(height, width),
        can_grow=origin.encoding.settings.coordinates != "raw",
        mutations=steps[-1].size if steps else USUAL_SIZE,
        save=_request(origin, steps),
    )


@router.get("/breed", response_class=HTMLResponse)
def breed(request: Request, asked: Asked, shared: Shared) -> Response:
    """The page. What an address leaves open is decided, and stands in the address from then on."""
    if asked.is_new:
        steps = f"&steps={to_text(asked.steps)}" if asked.steps else ""
        return RedirectResponse(f"/breed?{asked.origin.query}{steps}", status_code=303)
    return draw(request, "breed.html.j2", twin(asked, shared))


@router.get("/breed/image.png")
def image(asked: Asked, shared: Shared, child: Place, size: Side = None) -> Response:
    """A child: exactly what a classifier is shown, or drawn at another size."""
    if size is not None and size > shared.settings.limits.side:
        raise ProblemError(422, f"size: expected at most {shared.settings.limits.side} pixels, found {size}")
    picture = shared.lines.picture(asked.origin, asked.steps, child, size)
    return Response(picture, media_type="image/png", headers={} if asked.is_new else _KEEP)


@router.get("/breed/answers.json")
def answers(asked: Asked, shared: Shared) -> SaidOfAll:
    """What the line's classifier makes of the children. It may take a while until it is loaded."""
    origin = asked.origin
    found = shared.asker.ask(origin.model, shared.lines.pixels(origin, asked.steps), views=origin.views)
    at_home = origin.label if origin.number is not None else None
    own = next((n for n, label in enumerate(found.model.labels) if label == at_home), -1)
    return SaidOfAll(
        model=origin.model,
        children=tuple(
            Said(
                top=tuple(
                    First(number=one.number, label=one.label, confidence=one.confidence) for one in found.top(child, 3)
                ),
                own=found.confidence(child, own),
            )
            for child in range(CHILDREN)
        ),
    )  # fmt: skip


def _parents(origin: Origin, steps: tuple[Step, ...]) -> tuple[tuple[int | None, ...], str | None]:
    """Of each child, its parent's place among those of an earlier choice; and the steps before that choice."""
    for number in range(len(steps), 0, -1):
        if picked := steps[number - 1].picked:
            return tuple(picked[child % len(picked)] for child in range(CHILDREN)), to_text(
                steps[: number - 1]
            )
    if origin.start is None:
        return (None,) * CHILDREN, None
    return tuple(0 if steps or child else None for child in range(CHILDREN)), ""


def _request(origin: Origin, steps: tuple[Step, ...]) -> RunRequest:
    """What computes the line as a run."""
    words = f"Bred from {origin.label}" if origin.label is not None else f"Bred from seed {origin.seed}"
    line = {"search.line": to_text(steps)}
    return RunRequest(
        config="breed",
        model=origin.model,
        seed=origin.seed,
        set={**origin.settings, **line},
        label=words[:200],
    )
