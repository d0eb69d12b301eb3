"""Cursors: where a list goes on, as text that means nothing to a client. One that was made up is refused, and so is one of
another list."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from typing import Any

from fooling.errors import InvalidError
from fooling.service.problems import ProblemError
from fooling.untrusted import parse_json

_LONGEST = 500


def encode(position: list[Any], *query: object) -> str:
    """A cursor.

    Args:
        position: JSON-like: what the page ended with.
        query: what the list is of; the next page is asked for with the same.
    """
    data = json.dumps([_digest(query), *position], separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def decode(cursor: str, kinds: tuple[type, ...], *query: object) -> list[Any]:
    """The position that a cursor stands for.

    Args:
        kinds: the types of its parts.

    Raises:
        ProblemError: 422: it is none of ours, or of another list.
    """
    wrong = ProblemError(
        422, "cursor: expected the `next` of the page before, asked for with the same filters"
    )
    if len(cursor) > _LONGEST or not cursor.isascii():
        raise wrong
    try:
        data = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        found = parse_json(data, "cursor")
    except (binascii.Error, ValueError, InvalidError):
        raise wrong from None
    if not isinstance(found, list) or len(found) != 1 + len(kinds) or found[0] != _digest(query):
        raise wrong
    if not all(type(part) is kind for part, kind in zip(found[1:], kinds, strict=True)):
        raise wrong
    return found[1:]


def _digest(query: tuple[object, ...]) -> str:
    return hashlib.sha256(repr(query).encode("utf-8", "backslashreplace")).hexdigest()[:12]
