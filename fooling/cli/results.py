"""What all commands share that ask a study: errors in the request, the result as JSON or drawn, and the exit code."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from fooling.errors import PARTLY, InvalidError
from fooling.terminal import draw, say, say_json, tell

if TYPE_CHECKING:
    from rich.console import RenderableType

    from fooling.studies.protocol import Result

R = TypeVar("R", bound="Result")


@contextmanager
def usage() -> Iterator[None]:
    """Report an invalid request that is made in this block as an error in the command line."""
    try:
        yield
    except InvalidError as error:
        raise click.UsageError(str(error).removeprefix("Request: ")) from None


def finish(
    result: R, files: Sequence[Path], pages: Callable[[R], Iterable[RenderableType]], as_json: bool
) -> int:
    """Print a result, and name on stderr what was left out.

    Args:
        files: the files that were written of the result.
        pages: draws the result for the terminal.
        as_json: print JSON in place of the drawing and the files.

    Returns:
        The exit code.
    """
    if as_json:
        say_json(result.document())
    else:
        draw(*pages(result))
        for file in files:
            say(file)
    for failure in result.failures:
        tell(f"warning: {failure.what} was left out: {failure.reason}")
    return PARTLY if result.failures else 0
