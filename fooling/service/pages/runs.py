"""The first page: all runs of the folder as cards, and the queue."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import JSONResponse, Response
from pydantic import Field

from fooling.service import jobs
from fooling.service.context import Context, Shared
from fooling.service.jobs.estimating import starts
from fooling.service.pages.drawing import draw, wants_page
from fooling.service.pages.new import PRESETS, Preset
from fooling.service.schema import Answer, Job, State
from fooling.version import __version__

router = APIRouter()
_API = "/api/v1"
_SIZE = 48  # cards on a page: whole rows of two, three, four and six
_TITLES = {
    "state": "State",
    "model": "Model",
    "encoding": "Encoding",
    "search": "Search",
    "label": "Label",
}
Order = Literal["newest", "oldest", "name", "model", "confidence", "evaluations"]
Values = Annotated[list[Annotated[str, Field(max_length=1024)]], Query(max_length=100, default_factory=list)]


class Choice(Answer):
    """A value that filters may choose, and how many runs have it that the other filters let through."""

    value: str
    count: int
    chosen: bool


class Facet(Answer):
    """What runs can be filtered by."""

    name: str
    title: str
    choices: list[Choice]


class Waiting(Answer):
    """A job that waits, and in how many seconds it is going to start; null where that is not known."""

    job: Job
    starts_seconds: float | None


class RunsPage(Answer):
    """A page of runs.

    Attributes:
        total: runs that the filters let through, on all pages.
        everything: runs in the folder.
        page: from 1 on.
        running: jobs that are computed now, studies too.
        waiting: jobs that wait, the next one first.
        slots: jobs that are computed at once.
        presets: where there is no run: how one may begin.
    """

    items: list[Job]
    total: int
    everything: int
    page: int
    pages: int
    size: int
    q: str
    sort: Order
    facets: list[Facet]
    running: list[Job]
    waiting: list[Waiting]
    slots: int
    presets: list[Preset]


class Asked:
    """What the address asks for."""

    def __init__(
        self,
        *,
        q: Annotated[str, Query(max_length=1000)] = "",
        state: Annotated[list[State], Query(max_length=20, default_factory=list)],
        model: Values,
        encoding: Values,
        search: Values,
        label: Values,
        sort: Order = "newest",
        page: Annotated[int, Query(ge=1, le=10**6)] = 1,
    ) -> None:
        given: dict[str, Sequence[str]] = {
            "state": state,
            "model": model,
            "encoding": encoding,
            "search": search,
            "label": label,
        }
        self.chosen = {name: tuple(str(value) for value in values) for name, values in given.items()}
        self.q, self.page = q, page
        self.sort: Order = sort


@router.get("/")
def first(request: Request, shared: Shared, asked: Annotated[Asked, Depends()]) -> Response:
    """The runs, for a person; for a program, where to go on."""
    if wants_page(request):
        return draw(request, "runs.html.j2", twin(shared, asked))
    where = {"name": "fooling", "version": __version__, "api": _API, "openapi": f"{_API}/openapi.json"}
    return JSONResponse(where)


@router.get("/runs.json")
def twin(shared: Shared, asked: Annotated[Asked, Depends()]) -> RunsPage:
    """What the page shows. Beyond the last page there is the last page."""
    query = jobs.Query("run", asked.q, asked.chosen, asked.sort)
    with shared.reader.explained():
        found = shared.jobs.find(query, (asked.page - 1) * _SIZE, _SIZE)
        pages = max(1, -(-found.total // _SIZE))
        if asked.page > pages:
            found = shared.jobs.find(query, (pages - 1) * _SIZE, _SIZE)
        running, waiting = _queue(shared)
    return RunsPage(
        items=[shared.reader.told(job) for job in found.items],
        total=found.total,
        everything=found.everything,
        page=min(asked.page, pages),
        pages=pages,
        size=_SIZE,
        q=asked.q,
        sort=asked.sort,
        facets=[_facet(name, found.counts[name], asked.chosen[name]) for name in _TITLES],
        running=running,
        waiting=waiting,
        slots=shared.jobs.running,
        presets=[] if found.everything else list(PRESETS),
    )


def _queue(shared: Context) -> tuple[list[Job], list[Waiting]]:
    live, queued = shared.jobs.queue()
    when = starts(
        [job.estimate_seconds for job in live],
        [job.estimate_seconds for job in queued],
        shared.jobs.running,
    )
    waiting = [
        Waiting(job=shared.reader.told(job), starts_seconds=seconds)
        for job, seconds in zip(queued, when, strict=True)
    ]
    return [shared.reader.told(job) for job in live], waiting


def _facet(name: str, counts: list[tuple[str, int]], chosen: tuple[str, ...]) -> Facet:
    """A value that is chosen stays, also where nothing has it any more."""
    there = {value for value, _ in counts}
    every = [*counts, *((value, 0) for value in chosen if value not in there)]
    choices = [Choice(value=value, count=count, chosen=value in chosen) for value, count in every]
    return Facet(name=name, title=_TITLES[name], choices=choices)
