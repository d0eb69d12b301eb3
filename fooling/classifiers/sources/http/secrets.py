"""Secrets that a spec names and never holds: `${FOOLING_HTTP_KEY}` is the environment variable of that name.

They are put in as a request is sent, and taken out of every message; so neither manifests nor logs nor the
query ledger hold one. Only names with this prefix are read: a spec from somebody else can't have other
secrets of the user's environment sent to its host.
"""

from __future__ import annotations

import os
import re
from typing import Any

from fooling.errors import InvalidError

PREFIX = "FOOLING_HTTP_"
_NAME = re.compile(r"\$\{([^}]*)\}")


def names_in(value: Any) -> set[str]:
    """The variables that texts in a value (text, lists and tables of texts) name."""
    if isinstance(value, str):
        return set(_NAME.findall(value))
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ()
    return set().union(*map(names_in, parts))


def filled(value: Any) -> Any:
    """The value with every variable's text in its place.

    Raises:
        InvalidError: a variable that is not set, or whose text no header could carry.
    """
    if isinstance(value, str):
        return _NAME.sub(lambda match: _read(match[1]), value)
    if isinstance(value, dict):
        return {key: filled(part) for key, part in value.items()}
    return [filled(part) for part in value] if isinstance(value, list | tuple) else value


def redacted(text: str, names: set[str]) -> str:
    """The text without what those variables hold."""
    for name in names:
        if secret := os.environ.get(name):
            text = text.replace(secret, f"${{{name}}}")
    return text


def _read(name: str) -> str:
    text = os.environ.get(name) if name.startswith(PREFIX) else None
    if not text:
        raise InvalidError(f"expected the environment variable {name}, which the spec names, found none")
    if not (text.isascii() and text.isprintable()):
        raise InvalidError(
            f"expected printable ASCII in the environment variable {name}, found other characters"
        )
    return text
