"""The first page: all runs of the folder, and the queue."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from fooling.service.context import Shared
from fooling.service.pages.drawing import draw, wants_page
from fooling.service.routes.runs import page_of
from fooling.service.schema import Jobs
from fooling.version import __version__

router = APIRouter()
_API = "/api/v1"


@router.get("/")
def first(request: Request, shared: Shared) -> Response:
    """The runs, for a person; for a program, where to go on."""
    if wants_page(request):
        return draw(request, "runs.html.j2", twin(shared))
    where = {"name": "fooling", "version": __version__, "api": _API, "openapi": f"{_API}/openapi.json"}
    return JSONResponse(where)


@router.get("/runs.json")
def twin(shared: Shared) -> Jobs:
    """What the page shows."""
    return page_of(shared, "run", None, None, None, None, 60, None)
