"""What a run's page is made of: all elites as columns, the names of the classes, the run's way so far, and films."""

from __future__ import annotations

import hashlib
from typing import Annotated

from fastapi import APIRouter, Header, Path, Query, Response

from fooling.service.context import Context, Shared
from fooling.service.images import is_known, picture_of, picture_response
from fooling.service.problems import ProblemError
from fooling.service.reading import Reading, is_final
from fooling.service.routes.elites import PNG, Number
from fooling.service.schema import Classes, Columns, Film, Frame, History, Id

router = APIRouter(prefix="/runs/{id}", tags=["walls"])
Known = Annotated[str | None, Header(alias="If-None-Match", max_length=1000)]
Place = Annotated[int, Path(ge=0, lt=2**31, description="the place of a picture in its film, from 0 on")]
_KNOWN = {304: {"description": "the client has it"}}
_KEEP = {"cache-control": "private, no-cache"}


@router.get("/columns", response_model=Columns, responses=_KNOWN)  # type: ignore[arg-type]
def columns(id: Id, shared: Shared, known: Known = None) -> Response:
    """The elites of all classes that the search is for, as columns. The ETag changes with the checkpoint."""
    return _of_checkpoint(shared, id, "columns", known)


@router.get("/classes", response_model=Classes, responses=_KNOWN)  # type: ignore[arg-type]
def classes(id: Id, shared: Shared, known: Known = None) -> Response:
    """The labels and groups of the run's classifier, which never change."""
    return _of_checkpoint(shared, id, "classes", known)


def _of_checkpoint(shared: Context, id: str, what: str, known: str | None) -> Response:
    shared.reader.job(id, "run")
    reading = shared.reader.reading(id)
    if reading is None:
        raise ProblemError(404, "this run has not begun")
    stamp = reading.stamp if what == "columns" else len(reading.view.labels)
    etag = f'"{hashlib.sha256(repr((id, what, stamp)).encode()).hexdigest()[:32]}"'
    headers = {"etag": etag, **_KEEP}
    if is_known(etag, known):
        return Response(status_code=304, headers=headers)
    return Response(getattr(reading, what), headers=headers, media_type="application/json")


@router.get("/history")
def history(id: Id, shared: Shared) -> History:
    """What the run's log says so far, which is ahead of its newest checkpoint."""
    shared.reader.job(id, "run")
    with shared.reader.explained():
        return shared.histories.of(id, shared.jobs.events_file(id))


@router.get("/elites/{class}/film")
def film(id: Id, number: Number, shared: Shared) -> Film:
    """The line of an elite's ancestors, from the first, random generation to now. Those that the run did not keep are
    bred once more."""
    from fooling.service.ancestry import held_by

    reading = _reading(shared, id)
    view, place = reading.view, int(number)
    with shared.reader.explained():
        reel = shared.films.reel(id, reading, place)
    held = held_by(view, reel.family, place)
    version = "-".join(map(str, view.ids[place].tolist()))
    return Film(
        number=place,
        label=view.labels[place],
        confidence=float(view.confidence[place]),
        frames=[
            Frame(
                id="/".join(map(str, ancestor.identity)),
                generation=ancestor.generation,
                held=held[ancestor.identity],
                image=None
                if pixels is None
                else f"/api/v1/runs/{id}/elites/{place}/film/{number_of_frame}.png?of={version}",
            )
            for number_of_frame, (ancestor, pixels) in enumerate(zip(reel.line, reel.pixels, strict=True))
        ],
        why=reel.why,
    )


@router.get("/elites/{class}/film/{place}.png", response_class=Response, responses=PNG)  # type: ignore[arg-type]
def picture(
    id: Id,
    number: Number,
    place: Place,
    shared: Shared,
    known: Known = None,
    of: Annotated[
        str | None, Query(max_length=50, description="the elite's id, with '-' in place of '/'")
    ] = None,
) -> Response:
    """A picture of a film. With `of` it is of that elite or of none: the run may have found a better one meanwhile."""
    from fooling.store.elites import encode

    job, reading = shared.reader.job(id, "run"), _reading(shared, id)
    with shared.reader.explained():
        reel = shared.films.reel(id, reading, int(number))
    pixels = reel.pixels[place] if place < len(reel.pixels) else None
    if pixels is None or of not in (None, "-".join(map(str, reel.line[-1].identity))):
        raise ProblemError(404, "there is no such picture (any more)")
    return picture_response(picture_of(encode(pixels)), of is not None or is_final(job), known)


def _reading(shared: Context, id: str) -> Reading:
    shared.reader.job(id, "run")
    reading = shared.reader.reading(id)
    if reading is None:
        raise ProblemError(404, "this run has no elite of that class (yet)")
    return reading
