"""The page of one elite."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import numpy as np
from fastapi import APIRouter
from pydantic import Field

from fooling.present.genotype import Genotype
from fooling.service.context import Shared
from fooling.service.jobs import State
from fooling.service.pages.drawing import page
from fooling.service.reading import elites_of, is_final
from fooling.service.routes.elites import Number
from fooling.service.routes.genotypes import reading_of
from fooling.service.schema import Answer, Elite, Id

if TYPE_CHECKING:
    from fooling.store.snapshot import Snapshot

router = APIRouter()


class Gain(Answer):
    """A new elite of the class, and its confidence."""

    generation: int
    confidence: float


class Neighbour(Answer):
    """The class before or after, among those with an elite."""

    number: int = Field(alias="class")
    label: str


class ElitePage(Answer):
    """What the page of an elite shows.

    Attributes:
        run, name, state: of the run.
        final: whether nothing of the run changes any more.
        model: the classifier of the run.
        models: the classifiers that may be asked; empty where nobody may ask.
        home: whether the run's own classifier is one of them.
        size, channels: height and width of the image in pixels, and 1 (grey) or 3.
        encoding: cppn or direct.
        rescaled: whether the genotype can be drawn at any size; else images are enlarged.
        generation: how far the run is.
        rank: how many elites of the run have a higher confidence, and 1.
        elites: how many the run has.
        before, after: the classes beside it, among those with an elite.
        history: each new elite of the class, as the run's log tells it.
        also: other classes that have the very same image.
        genotype: its network, where it has one.
    """

    run: str
    name: str
    state: State
    final: bool
    model: str
    models: list[str]
    home: bool
    elite: Elite
    size: tuple[int, int]
    channels: int
    encoding: str
    rescaled: bool
    generation: int
    rank: int
    elites: int
    before: Neighbour | None
    after: Neighbour | None
    history: list[Gain]
    also: list[Neighbour]
    genotype: Annotated[Genotype | None, Field(description="null where the run's images are no CPPNs")]


@page(router, "/runs/{id}/elites/{class}", "elite.html.j2")
def elite(id: Id, number: Number, shared: Shared) -> ElitePage:
    """An elite and all that is known of it."""
    from fooling.present.genotype import genotype_of, row_of
    from fooling.studies.lineage.walk import gains

    job = shared.reader.job(id, "run")
    view = reading_of(id, shared).view
    at = int(number)
    with shared.reader.explained():
        row = row_of(view, at)
        settings = view.spec.config.encoding
        network = genotype_of(view, at) if settings.name == "cppn" else None
    held = np.flatnonzero(view.occupied)
    place = int(np.searchsorted(held, at))
    twins = held[(view.stored_rows[held] == row) & (held != at)]
    return ElitePage(
        run=id,
        name=job.label or job.name,
        state=job.state,
        final=is_final(job),
        model=job.model or "",
        models=[] if shared.settings.read_only else list(shared.settings.models),
        home=view.spec.model in shared.settings.models and not shared.settings.read_only,
        elite=elites_of(id, view, [at])[0],
        size=view.archive.pixels.shape[1:3],
        channels=view.archive.pixels.shape[3],
        encoding=settings.name,
        rescaled=settings.name == "cppn" and settings.coordinates != "raw",
        generation=view.generation,
        rank=1 + int((view.confidence[held] > view.confidence[at]).sum()),
        elites=len(held),
        before=_neighbour(view, held, place - 1),
        after=_neighbour(view, held, place + 1),
        history=[
            Gain(generation=generation, confidence=confidence)
            for (generation, each), confidence in sorted(gains(view.curve).items())
            if each == at
        ],
        also=[Neighbour(number=each, label=view.labels[each]) for each in twins.tolist()],
        genotype=network,
    )


def _neighbour(view: Snapshot, held: np.ndarray, place: int) -> Neighbour | None:
    if not 0 <= place < len(held):
        return None
    number = int(held[place])
    return Neighbour(number=number, label=view.labels[number])
