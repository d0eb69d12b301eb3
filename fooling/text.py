"""Text from outside (labels, names, paths, messages of other software) made safe to print: it can't control a
terminal, forge lines or reverse the text beside it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

# Control characters (C0, DEL, C1), line and paragraph separators, marks of direction, and halves of surrogate
# pairs (which stand for undecodable bytes in the names of files). Letters that are written from right to left
# are not among them.
_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff]"
)


def plain(text: object) -> str:
    r"""The text in one line, with unsafe characters written as Python writes them: "\x1b", "\n", "\u202e"."""
    return _UNSAFE.sub(lambda found: ascii(found[0])[1:-1], str(text))


def encoded(text: str) -> bytes:
    r"""The text in UTF-8. Half a surrogate pair, which UTF-8 lacks, becomes "\udc80", which JSON reads as
    that half."""
    return text.encode("utf-8", "backslashreplace")


def all_plain(data: Any) -> Any:
    """JSON-like data with every text made plain, for a page that shows them."""
    if isinstance(data, str):
        return plain(data)
    if isinstance(data, Mapping):
        return {name: all_plain(value) for name, value in data.items()}
    return [all_plain(value) for value in data] if isinstance(data, list | tuple) else data


def format_bytes(size: int) -> str:
    """A number of bytes in decimal units: "940 B", "31 kB", "12.3 MB"."""
    if size < 1000:
        return f"{size} B"
    return f"{size / 1e3:.0f} kB" if size < 999_500 else f"{size / 1e6:,.1f} MB"
