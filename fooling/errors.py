"""Errors that a user can act on, one line each, and the exit codes of the command line."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

FAILED, USAGE, INVALID, NOT_FOUND, PARTLY, THRESHOLD, INTERRUPTED = 1, 2, 3, 4, 5, 6, 130  # 0: done


class FoolingError(Exception):
    """The base of every error that is raised on purpose. Its text is one line: what was expected, what was
    found and what to do."""

    exit_code = FAILED


class InvalidError(FoolingError):
    """An invalid config, model or run directory."""

    exit_code = INVALID


class NotFoundError(FoolingError):
    """Something that the user named does not exist."""

    exit_code = NOT_FOUND


class OutOfAnswers(FoolingError):
    """A remote classifier can't be asked any more: its budget is spent, or its server fails for good. A run
    ends with the elites that it has."""


class Interrupted(FoolingError):
    """The user stopped it. What is done is kept, and the same command goes on."""

    exit_code = INTERRUPTED

    def __init__(self) -> None:
        super().__init__("interrupted; the same command goes on from here")


def first_line(error: BaseException, most: int = 300) -> str:
    """The first line of what an error says, cut to `most` characters; the name of its class if it says
    nothing."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:most]


@contextmanager
def naming_write_errors(place: object) -> Iterator[None]:
    """Say in one line where writing failed.

    Args:
        place: what is written inside this block, as the line names it: a path, or "in PATH".

    Raises:
        FoolingError: an OSError was raised inside the block.
    """
    try:
        yield
    except OSError as error:
        raise FoolingError(f"can't write {place}: {error.strerror or error}") from None


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """'; did you mean NEAR?' if a known name is near to this one, else ''."""
    near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f"; did you mean {near[0]}?" if near else ""
