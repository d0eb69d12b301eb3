"""The application: routes behind the guard."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import APIRouter, FastAPI, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.types import Scope

from fooling.service import pages, problems
from fooling.service.auth import SESSION_SECONDS
from fooling.service.context import Context, Shared
from fooling.service.guard import Guard, access_line
from fooling.service.jobs import Jobs
from fooling.service.problems import Problem, ProblemError
from fooling.service.refusals import refusal
from fooling.service.routes import about, blind, elites, estimates, events, genotypes, runs, studies, walls
from fooling.service.settings import ServiceSettings
from fooling.version import __version__

access_log = logging.getLogger("fooling.service.access")
PREFIX = "/api/v1"
_DESCRIPTION = (
    "Launches, watches and serves runs of one folder. Errors are `application/problem+json`; labels and names are text of "
    "other people, to be shown as text."
)
_PROBLEM = {"content": {problems.MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}}


def create_app(jobs: Jobs, settings: ServiceSettings) -> FastAPI:
    """The application for a folder's jobs. `app.state.context` has what its routes share."""
    context = Context(jobs, settings)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        yield
        context.close()

    app = FastAPI(
        title="fooling",
        version=__version__,
        description=_DESCRIPTION,
        openapi_url=f"{PREFIX}/openapi.json",
        docs_url=None,  # they would load code from elsewhere
        redoc_url=None,
        lifespan=lifespan,
        redirect_slashes=False,
        generate_unique_id_function=_operation,
        responses={status: {**_PROBLEM, "description": words} for status, words in _STATUSES.items()},
    )
    app.state.context = context
    api = APIRouter(prefix=PREFIX)
    for part in (runs, elites, genotypes, blind, events, studies, about, walls, estimates):
        api.include_router(part.router)
    app.include_router(api)
    for path in ("/healthz", "/readyz", "/metrics"):  # where such are looked for
        app.add_api_route(path, getattr(about, path[1:]), include_in_schema=False)
    app.add_api_route("/login", _login, include_in_schema=False)
    app.include_router(pages.router)
    app.add_exception_handler(ProblemError, _problem)
    app.add_exception_handler(HTTPException, _http_problem)
    app.add_exception_handler(RequestValidationError, _invalid)

    def observe(scope: Scope, status: int, seconds: float) -> None:
        context.metrics.observe(scope, status, seconds)
        access_log.info("%s", access_line(scope, status, seconds))

    app.add_middleware(Guard, settings=settings, access=context.access, observe=observe)
    schema = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            _complete(schema())
        return app.openapi_schema or {}

    app.openapi = openapi  # type: ignore[method-assign]
    return app


_STATUSES: dict[int | str, str] = {
    401: "No token, and no login.",
    403: "Not allowed, with whatever token.",
    404: "There is nothing of this id.",
    409: "The state that it is in does not allow that.",
    422: "Something about the request is wrong.",
    "default": "Another problem.",
}


def _operation(route: APIRoute) -> str:
    """The name of an operation: its function and its subject, such as `runs_launch`."""
    return f"{str(route.tags[0]) if route.tags else 'page'}_{route.name}"


def _complete(schema: dict[str, Any]) -> None:
    """What FastAPI does not know of: the token, and what a problem looks like."""
    parts = schema["components"]
    parts["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    parts["schemas"]["Problem"] = Problem.model_json_schema()
    for unused in ("HTTPValidationError", "ValidationError"):
        parts["schemas"].pop(unused, None)
    schema["security"] = [{"token": []}]
    for path in (f"{PREFIX}/healthz", f"{PREFIX}/readyz"):
        schema["paths"][path]["get"]["security"] = []


def _login(shared: Shared, code: Annotated[str, Query(max_length=200)] = "") -> Response:
    """Take a login link: the one GET that uses something up, since a link can do nothing else."""
    cookie = shared.access.spend(code)
    if cookie is None:
        raise ProblemError(401, "this login link was used, is older than an hour, or was never given out")
    found = RedirectResponse("/", status_code=303)
    found.set_cookie(
        shared.access.cookie,
        cookie,
        max_age=int(SESSION_SECONDS),
        httponly=True,
        samesite="strict",
        secure=shared.settings.public.startswith("https://"),
    )
    return found


def _response(request: Request, status: int, detail: str, headers: Any = None) -> Response:
    body, kind = refusal(status, detail, request.url.path, request.headers.get("accept"))
    return Response(body, status, headers, kind)


async def _problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, ProblemError)
    return _response(request, error.status, error.detail, error.headers)


async def _http_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    details = {404: "there is nothing here", 405: "this can't be done here"}
    return _response(
        request, error.status_code, details.get(error.status_code, str(error.detail)), error.headers
    )


async def _invalid(request: Request, error: Exception) -> Response:
    """The first thing that is wrong with a request. An id that can't be one is unknown like any other."""
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    place = [str(part) for part in first["loc"]]
    if place[0] == "path":
        return _response(request, 404, "there is nothing of this id")
    where = ".".join(place[1:] if len(place) > 1 else place)
    said = str(first["msg"]).removeprefix("Value error, ").replace("Input should be", "expected")
    return _response(request, 422, f"{where}: {said[:1].lower()}{said[1:]}")
