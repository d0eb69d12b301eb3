"""The elites of a run: a list with filters, their images, where each came from."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from fastapi import APIRouter, Header, Path, Query, Response

from fooling.service import cursors
from fooling.service.choosing import Choice, chosen
from fooling.service.context import Shared
from fooling.service.images import picture_response
from fooling.service.problems import ProblemError
from fooling.service.reading import elites_of, is_final
from fooling.service.routes.runs import Cursor, Limit
from fooling.service.schema import Elites, Id, Lineage

router = APIRouter(prefix="/runs/{id}/elites", tags=["elites"])
Number = Annotated[str, Path(alias="class", pattern=r"^[0-9]{1,7}$", description="a class")]
Sort = Literal["class", "-class", "confidence", "-confidence", "generation", "-generation", "label", "-label"]
PNG = {200: {"content": {"image/png": {}}}, 304: {"description": "the client has it"}}


@router.get("")
def listed(
    id: Id,
    shared: Shared,
    classes: Annotated[list[int] | None, Query(alias="class", max_length=1000)] = None,
    label: Annotated[str | None, Query(max_length=200)] = None,
    group: Annotated[str | None, Query(max_length=200)] = None,
    min_confidence: Annotated[float, Query(ge=0, le=1)] = 0.0,
    sort: Sort = "class",
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Elites:
    """The elites by the newest checkpoint. `label` is text in the label, upper and lower case alike; `sort` falls where a
    "-" is before it; `class` may be repeated."""
    choice = Choice(tuple(classes or ()), label or "", group, min_confidence, sort)
    after = cursors.decode(cursor, (int,), id, choice)[0] if cursor is not None else None
    shared.reader.job(id, "run")
    reading = shared.reader.reading(id)
    if reading is None:
        return Elites(items=[], next=None, total=0, generation=-1)
    view = reading.view
    order = chosen(view, choice)
    begin = 0
    if after is not None:
        place = np.flatnonzero(order == after)
        if not len(place):  # the run has got further, and the elite no longer passes the filters
            raise ProblemError(409, "cursor: the list has changed; begin again without it")
        begin = int(place[0]) + 1
    page = order[begin : begin + min(limit, shared.settings.limits.listed)].tolist()
    items = elites_of(id, view, page)
    more = begin + len(page) < len(order)
    following = cursors.encode([page[-1]], id, choice) if more and page else None
    return Elites(items=items, next=following, total=len(order), generation=int(view.counters.generation))


@router.get("/{class}.png", response_class=Response, responses=PNG)  # type: ignore[arg-type]
def image(
    id: Id,
    number: Number,
    shared: Shared,
    size: Annotated[int | None, Query(ge=1, le=2**20, description="pixels of the longer side")] = None,
    known: Annotated[str | None, Header(alias="If-None-Match", max_length=1000)] = None,
) -> Response:
    """The elite of a class: exactly the pixels that were classified, or drawn at another size, CPPNs from their genotype."""
    if size is not None and size > shared.settings.limits.side:
        raise ProblemError(422, f"size: expected at most {shared.settings.limits.side} pixels, found {size}")
    job = shared.reader.job(id, "run")
    reading = shared.reader.reading(id)
    if reading is None:
        raise ProblemError(404, "this run has no elite of that class (yet)")
    picture = shared.images.picture(id, reading, int(number), size)
    return picture_response(picture, is_final(job), known)


@router.get("/{class}/lineage")
def lineage(id: Id, number: Number, shared: Shared) -> Lineage:
    """The ancestors of a class's elite, the oldest first."""
    from fooling.service.ancestry import ancestry

    shared.reader.job(id, "run")
    reading = shared.reader.reading(id)
    if reading is None:
        raise ProblemError(404, "this run has no elite of that class (yet)")
    with shared.reader.explained():
        return ancestry(reading.view, int(number))
