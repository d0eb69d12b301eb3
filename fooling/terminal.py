"""What commands and reporters print: data on stdout, all else on stderr, everything as plain text.

No other file prints. So no label, path or foreign message can bring escapes, markup, or a character that the
terminal's encoding lacks.
"""

from __future__ import annotations

import codecs
import errno
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO

from fooling.text import plain

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

# What stands for our own signs where the stream's encoding lacks them: as wide as they, so that columns stay.
_STAND_INS = {"–": "-", "—": "-", "…": "~", "×": "x", "·": ".", "’": "'"}
_BLOCKS = range(0x2580, 0x25A0)  # of bars


def _stand_in(error: UnicodeError) -> tuple[str | bytes, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    sign = error.object[error.start]
    if sign in _STAND_INS or ord(sign) in _BLOCKS:
        return _STAND_INS.get(sign, "#"), error.start + 1
    return codecs.backslashreplace_errors(
        UnicodeEncodeError(error.encoding, error.object, error.start, error.start + 1, error.reason)
    )


_PLAIN = "fooling.plain"  # the name of that way with letters that an encoding lacks
codecs.register_error(_PLAIN, _stand_in)

_data: TextIO | None = None  # where data goes while a command runs; None: to stdout


@contextmanager
def _unless_hung_up() -> Iterator[None]:
    """A terminal that was closed takes nothing any more: what would be printed there is left out, and a run goes on
    to its checkpoint."""
    try:
        yield
    except OSError as error:
        if error.errno != errno.EIO:
            raise


def say(text: object) -> None:
    """Print a line of data on stdout. It is never broken, so that a path can be copied from it."""
    with _unless_hung_up():
        print(plain(text), file=_data or sys.stdout, flush=True)


def tell(text: object) -> None:
    """Print a line for the user on stderr: progress, a warning, an error."""
    with _unless_hung_up():
        print(plain(text), file=sys.stderr, flush=True)


def show_log() -> None:
    """Show what the package logs, of every level, on stderr."""
    import logging

    class Told(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            tell(f"{record.levelname.lower()}: {record.name}: {record.getMessage()}")

    log = logging.getLogger("fooling")
    log.setLevel(logging.DEBUG)
    log.addHandler(Told())


def say_json(value: Any) -> None:
    """Print a value as one line of JSON on stdout; in ASCII, so that labels are exact in every encoding."""
    with _unless_hung_up():
        print(json.dumps(value, allow_nan=False), file=_data or sys.stdout, flush=True)


def draw(*parts: RenderableType, piped: int | None = None) -> None:
    """Print tables and texts on stdout, as wide as the terminal, or, where there is none, `piped` columns (default:
    80). Strings, those in tables too, are plain text."""
    out = _data or sys.stdout
    page = console(out, None if out.isatty() else piped)
    with _unless_hung_up():
        for part in parts:
            page.print(part)


def console(file: TextIO, width: int | None = None) -> Console:
    """A console of rich that draws every string as plain text: no markup, no emoji codes, no escapes."""
    from rich.console import Console
    from rich.text import Text

    class PlainConsole(Console):
        def render_str(self, text: str, **options: Any) -> Text:
            return super().render_str(_within(self.encoding, plain(text)), **options)

    return PlainConsole(file=file, width=width, markup=False, emoji=False, highlight=False)


def _within(encoding: str, text: str) -> str:
    """The text in an encoding's letters: before columns are measured, not when they are printed."""
    return text.encode(encoding, _PLAIN).decode(encoding)


def prepare() -> None:
    """Make the standard streams fit for anything: what their encoding lacks is written as a sign like it or as an
    escape, where Python's way is to fail; and those that were closed lead nowhere, where the next file to be opened would take their place.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            descriptor = os.open(os.devnull, os.O_RDWR)  # the lowest that is free
            setattr(sys, name, os.fdopen(descriptor, "w" if number else "r", closefd=False))
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # not where a test or a notebook put its own
            stream.reconfigure(errors=_PLAIN)


@contextmanager
def data_apart() -> Iterator[None]:
    """In this block stdout belongs to this file alone. Whatever else is written there, by Python or by C, goes to
    stderr, until the process ends: a network may print when it is built, in each forward pass, or at exit."""
    global _data
    before = _data, sys.stdout
    if sys.stdout is sys.__stdout__ and sys.stdout is not None and sys.stdout.fileno() == 1:
        sys.stdout.flush()
        _data = os.fdopen(os.dup(1), "w", encoding=sys.stdout.encoding, errors=_PLAIN)
        os.dup2(2, 1)
        sys.stdout.reconfigure(line_buffering=True)
        yield
        with _unless_hung_up():
            _data.flush()
        return
    _data, sys.stdout = sys.stdout, sys.stderr  # captured in this process
    try:
        yield
    finally:
        _data, sys.stdout = before
