"""Errors that a user can act on: one line each, and the exit code that the command line gives for it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class FoolingError(Exception):
    """The base of every error raised on purpose. `str(error)` is one line: what was expected, what was
    found, what to do."""

    exit_code = 1


class InvalidError(FoolingError):
    """An invalid config, model or run directory."""

    exit_code = 3


class NotFoundError(FoolingError):
    """Something that the user named is not there."""

    exit_code = 4


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """'; did you mean NEAR?' where something near is known, else ''."""
    near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f"; did you mean {near[0]}?" if near else ""
