"""Tables and lines for the terminal.

Strings that are put into a table are drawn as plain text by the console (`fooling.cli.terminal`). Only words with a
style, or of more than one line, are made here.
"""

from __future__ import annotations

from rich import box
from rich.table import Table
from rich.text import Text

from fooling.text import plain


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
