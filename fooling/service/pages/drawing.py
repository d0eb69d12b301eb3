"""How a page is made of a model: by a template for people, as it is for programs."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from pydantic import BaseModel

from fooling.present import web
from fooling.service.context import Context
from fooling.text import all_plain

Page = Callable[..., BaseModel]


def page(router: APIRouter, path: str, template: str, *, twin: str | None = None) -> Callable[[Page], Page]:
    """Decorates a page function: it is asked for at `path` and draws its model by `template`; at `twin`, the path with
    `.json` behind it, the same function answers with the model itself.

    The template is given `page`, the model as JSON-like data with every text made plain, which the frame also puts into
    the element `data` for scripts; `path`; and `read_only`, whether this server only shows.
    """

    def decorate(function: Page) -> Page:
        router.add_api_route(twin or f"{path}.json", function, methods=["GET"])
        router.add_api_route(path, _drawn(function, template), methods=["GET"], response_class=HTMLResponse)
        return function

    return decorate


def _drawn(function: Page, template: str) -> Callable[..., HTMLResponse]:
    signature = inspect.signature(function, eval_str=True)

    @functools.wraps(function)
    def drawn(*, drawing_request: Request, **given: Any) -> HTMLResponse:
        return draw(drawing_request, template, function(**given))

    request = inspect.Parameter("drawing_request", inspect.Parameter.KEYWORD_ONLY, annotation=Request)
    own = [parameter.replace(kind=request.kind) for parameter in signature.parameters.values()]
    drawn.__signature__ = inspect.Signature([*own, request])  # type: ignore[attr-defined]
    return drawn


def draw(request: Request, template: str, model: BaseModel) -> HTMLResponse:
    """A model, drawn."""
    context: Context = request.app.state.context
    text = (
        web.environment()
        .get_template(template)
        .render(
            page=all_plain(model.model_dump(mode="json", by_alias=True)),
            path=request.url.path,
            read_only=context.settings.read_only,
        )
    )
    return HTMLResponse(text)


def wants_page(request: Request) -> bool:
    """Whether a person's browser asks."""
    return "text/html" in request.headers.get("accept", "")
