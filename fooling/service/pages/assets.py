"""Styles, scripts and the icon. They are the same for everybody and say nothing about the runs, so they take no token."""

from __future__ import annotations

from pathlib import PurePath

from fastapi import APIRouter, Response

from fooling.present import web
from fooling.service.problems import ProblemError

router = APIRouter()


@router.get("/assets/{digest}/{name}")
def asset(digest: str, name: str) -> Response:
    """A file that `fooling.present.web.ASSETS` names. Its address changes with its content."""
    if digest != web.digest() or name not in web.ASSETS:
        raise ProblemError(404, "there is nothing here")
    headers = {"cache-control": "public, max-age=31536000, immutable"}
    return Response(web.content(name), headers=headers, media_type=web.MEDIA_TYPES[PurePath(name).suffix])
