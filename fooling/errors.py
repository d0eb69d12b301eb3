"""Errors that a user can act on, one line each, and the exit codes of the command line."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

FAILED, USAGE, INVALID, NOT_FOUND, PARTLY, INTERRUPTED = 1, 2, 3, 4, 5, 130  # 0: done


class FoolingError(Exception):
    """The base of every error raised on purpose. `str(error)` is one line: what was expected, what was
    found, what to do."""

    exit_code = FAILED


class InvalidError(FoolingError):
    """An invalid config, model or run directory."""

    exit_code = INVALID


class NotFoundError(FoolingError):
    """Something that the user named is not there."""

    exit_code = NOT_FOUND


class OutOfAnswers(FoolingError):
    """A remote classifier can't be asked any further: its budget is spent, or its server fails for good.
    A run ends with what it has."""


class Interrupted(FoolingError):
    """The user stopped it. What is done is kept, and the same command goes on."""

    exit_code = INTERRUPTED

    def __init__(self) -> None:
        super().__init__("interrupted; the same command goes on from here")


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """'; did you mean NEAR?' where something near is known, else ''."""
    near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f"; did you mean {near[0]}?" if near else ""
