"""The CPPN of an elite: as a document, taken apart, changed; and what classifiers say of it."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from fastapi import APIRouter, Header, Query, Response

from fooling.errors import NotFoundError
from fooling.present.genotype import Genotype
from fooling.service.asking import Answers
from fooling.service.context import Context, Shared
from fooling.service.images import picture_response
from fooling.service.problems import ProblemError
from fooling.service.reading import Reading, is_final
from fooling.service.routes.elites import Number
from fooling.service.schema import Asked, AskRequest, First, Id, Variation, VariationRequest

if TYPE_CHECKING:
    from fooling.store.snapshot import Snapshot

router = APIRouter(prefix="/runs/{id}/elites", tags=["elites"])
_PNG = {200: {"content": {"image/png": {}}}, 304: {"description": "the client has it"}}
Form = Annotated[Literal["fooling", "neat"], Query(description="our own document, or neat-python's JSON")]


@router.get("/{class}/genotype", response_model=Genotype)
def genotype(id: Id, number: Number, shared: Shared, form: Form = "fooling") -> Response | Genotype:
    """The network that draws a class's elite, as `fooling export --format json` writes it; 404 where the run's images are
    no CPPNs."""
    from fooling.present.genotype import genotype_of, neat_network

    view = reading_of(id, shared).view
    with shared.reader.explained():
        if form == "neat":
            return Response(neat_network(view, int(number)), media_type="application/json")
        return genotype_of(view, int(number))


@router.get("/{class}/nodes.png", response_class=Response, responses=_PNG)  # type: ignore[arg-type]
def nodes(
    id: Id,
    number: Number,
    shared: Shared,
    size: Annotated[int, Query(ge=1, le=128, description="pixels of the longer side of each image")] = 48,
    known: Annotated[str | None, Header(alias="If-None-Match", max_length=1000)] = None,
) -> Response:
    """What every node of the network puts out: a sheet of eight columns, in the order of the nodes' numbers, each drawn in
    grey as an output would be."""
    job, reading = shared.reader.job(id, "run"), reading_of(id, shared)
    picture = shared.images.sheet(id, reading, int(number), size)
    return picture_response(picture, is_final(job), known)


@router.post("/{class}/variation")
def variation(id: Id, number: Number, shared: Shared, wanted: VariationRequest) -> Variation:
    """The elite's network with other weights: its image, and what the run's classifier makes of it. Nothing is kept."""
    from fooling.store.elites import encode

    view = reading_of(id, shared).view
    _expect_elite(view, int(number), wanted.id)
    with shared.images.drawing():
        from fooling.service import varying

        found = varying.changed(view, int(number), wanted.weights)
        native = varying.draw(view, found)
        shown = native if wanted.size is None else varying.draw(view, found, wanted.size)
        png = base64.b64encode(encode(shown, {})).decode()
    asked = _asked(shared, view, native, int(number), view.spec.model) if wanted.ask else None
    return Variation(png=png, asked=asked)


@router.post("/{class}/answers")
def answers(id: Id, number: Number, shared: Shared, wanted: AskRequest) -> Asked:
    """What a classifier says of the elite, exactly as it was classified."""
    from fooling.present.genotype import row_of

    view = reading_of(id, shared).view
    _expect_elite(view, int(number), wanted.id)
    with shared.reader.explained():
        pixels = view.archive.pixels[row_of(view, int(number))]
    return _asked(shared, view, pixels, int(number), wanted.model or view.spec.model)


def reading_of(id: str, shared: Context) -> Reading:
    """A run that has begun.

    Raises:
        ProblemError: 404: there is none.
    """
    shared.reader.job(id, "run")
    reading = shared.reader.reading(id)
    if reading is None:
        raise ProblemError(404, "this run has no elites yet")
    return reading


def _expect_elite(view: Snapshot, number: int, id: str | None) -> None:
    """Refuse to answer about another elite than the one that is meant.

    Raises:
        ProblemError: 409: the class has another one by now; 404: it has none.
    """
    from fooling.present.genotype import row_of
    from fooling.store.elites import elite_id

    try:
        row_of(view, number)
    except NotFoundError as error:
        raise ProblemError(404, str(error)) from None
    if id is not None and id != elite_id(view, number):
        raise ProblemError(409, "this class has another elite by now; reload the page")


def _asked(shared: Context, view: Snapshot, pixels: np.ndarray, number: int, spec: str) -> Asked:
    """What a classifier says of one image of a run.

    Raises:
        ProblemError: it can't be asked.
    """
    home = view.spec.classifier
    views = view.spec.config.classifier.views if spec == view.spec.model else None
    found = shared.asker.ask(spec, pixels[None], views=views)
    same = found.model.fingerprint == home.fingerprint
    own = number if same else _matched(view, found, number)
    confidence = found.confidence(0, own)
    return Asked(
        model=spec,
        same=same,
        top=[
            First(number=each.number, label=each.label, confidence=each.confidence) for each in found.top(0)
        ],
        own=None
        if confidence is None
        else First(number=own, label=found.model.labels[own], confidence=confidence),
    )


def _matched(view: Snapshot, found: Answers, number: int) -> int:
    """The class of a classifier that is a class of the run's; -1 where it has none."""
    from fooling.errors import InvalidError
    from fooling.studies.transfer.labels import NONE, matched

    home = view.spec.classifier.spec
    try:
        return int(matched(home.labels, found.model.labels, home.wordnet, found.model.wordnet)[number])
    except InvalidError:
        return NONE
