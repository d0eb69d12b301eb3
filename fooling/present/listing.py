"""Tables and lines for the terminal.

Strings that are put into a table are drawn as plain text by the console (`fooling.terminal`). Only words with a
style, or of more than one line, are made here.
"""

from __future__ import annotations

from collections.abc import Iterator

from rich import box
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions
from rich.table import Table
from rich.text import Text

from fooling.text import plain


class Parts:
    """A line of parts with commas between them: where it is too long, it goes on in another after one of the commas,
    so that "seed 0" stays together."""

    def __init__(self, line: str) -> None:
        self._parts = line.split(", ")

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Text]:
        line, *others = (console.render_str(part) for part in self._parts)
        for part in others:
            line.append(",")
            if cell_len(line.plain) + 1 + cell_len(part.plain) < options.max_width:  # a comma may follow
                line.append(" ").append(part)
            else:
                yield line
                line = Text("  ").append(part)
        yield line


def listing(title: str | None = None, collapse_padding: bool = False) -> Table:
    """An empty table in the one style that all tables have."""
    return Table(
        box=box.SIMPLE_HEAD,
        title=title,
        title_justify="left",
        title_style="bold",
        pad_edge=False,
        collapse_padding=collapse_padding,
    )


def words(*lines: object, style: str = "") -> Text:
    """Plain text in a style, a line for each argument."""
    return Text("\n".join(map(plain, lines)), style)
