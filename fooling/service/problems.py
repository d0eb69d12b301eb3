"""Errors as `application/problem+json` (RFC 9457): one line that says what was expected, what was found and what to do,
and nothing of this machine: no path, no traceback."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel, Field

from fooling.text import plain

MEDIA_TYPE = "application/problem+json"
_LONGEST = 500  # characters of a detail
# An absolute path of at least two parts, or one in quotes; addresses and fractions are none.
_PATH = re.compile(r"(?<![\w/.])/(?!/)(?:[^\s/'\":,;()<>]+/)+([^\s/'\":,;()<>]*)")


class Problem(BaseModel):
    """An error.

    Attributes:
        type: always "about:blank": the status says what kind it is.
        title: the words of the status.
        status: that of the response.
        detail: one line for people.
    """

    type: str = "about:blank"
    title: str
    status: int = Field(ge=400, le=599)
    detail: str = ""


class ProblemError(Exception):
    """Ends a request with a problem."""

    def __init__(self, status: int, detail: str, headers: dict[str, str] | None = None) -> None:
        """
        Args:
            detail: one line, without anything of this machine.
            headers: of the response, besides.
        """
        super().__init__(detail)
        self.status, self.detail, self.headers = status, detail, headers or {}


def content(status: int, detail: str = "") -> bytes:
    """The body of a problem."""
    title = HTTPStatus(status).phrase
    found = Problem(title=title, status=status, detail=plain(detail)[:_LONGEST])
    return json.dumps(found.model_dump()).encode()


def without_paths(text: str, root: str = "") -> str:
    """A message of the rest of the software, which names files, without the folders that they are in.

    Args:
        root: the folder of the service, whose name may hold spaces.
    """
    if root:
        text = text.replace(f"{root}/", "").replace(root, "the folder")
    return _PATH.sub(lambda found: found[1] or "a folder", text)


def data_without_paths(data: Any, root: str = "") -> Any:
    """JSON-like data, with all its texts as `without_paths` gives them."""
    if isinstance(data, str):
        return without_paths(data, root)
    if isinstance(data, Mapping):
        return {name: data_without_paths(value, root) for name, value in data.items()}
    return [data_without_paths(value, root) for value in data] if isinstance(data, list | tuple) else data
