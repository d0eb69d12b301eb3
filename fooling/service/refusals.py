"""A refusal as whoever asks understands it: a page for a person's browser, a problem for programs."""

from __future__ import annotations

from http import HTTPStatus

from fooling.present import web
from fooling.service import problems
from fooling.text import plain

_PROGRAMS = "/api/"


def refusal(status: int, detail: str, path: str, accept: str | None) -> tuple[bytes, str]:
    """The body of a refusal, and its media type.

    Args:
        detail: one line, without anything of this machine.
        path: what was asked for; the API answers everybody with a problem.
        accept: the header.
    """
    if path.startswith(_PROGRAMS) or "text/html" not in (accept or ""):
        return problems.content(status, detail), problems.MEDIA_TYPE
    template = web.environment().get_template("problem.html.j2")
    text = template.render(status=status, title=HTTPStatus(status).phrase, detail=plain(detail)[:500])
    return text.encode(), "text/html; charset=utf-8"
