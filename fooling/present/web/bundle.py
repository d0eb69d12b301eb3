"""Modules as one script, for pages that lie on a disk: there a browser imports nothing.

The text of every module comes after those that it imports, without the words `import` and `export`. So their names have to
differ, which tests/fooling/present/web/test_bundle.py holds them to.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

HERE = Path(__file__).parent
IMPORT = re.compile(r'^import (?:\{[^}]*\} from )?"\./([\w-]+\.js)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?function|const|let|class)", re.MULTILINE)


def modules(entry: str, texts: Mapping[str, str] | None = None) -> dict[str, str]:
    """The texts of a module and of all that it needs, by name, each after those that it imports.

    Args:
        entry: the name of the module.
        texts: where they are looked up instead of in this folder.

    Raises:
        ValueError: modules import each other in a circle.
    """
    found: dict[str, str] = {}

    def take(name: str, way: tuple[str, ...]) -> None:
        if name in way:
            raise ValueError(f"modules in a circle: {' -> '.join((*way, name))}")
        if name not in found:
            text = texts[name] if texts is not None else (HERE / name).read_text(encoding="utf-8")
            for needed in IMPORT.findall(text):
                take(needed, (*way, name))
            found[name] = text

    take(entry, ())
    return found


@cache
def bundle(entry: str) -> str:
    """A module and all that it needs as one script, which is no module."""
    parts = (_EXPORT.sub("", IMPORT.sub("", text)).strip() for text in modules(entry).values())
    return "\n".join(['"use strict";', *parts, ""])


@cache
def stylesheet(*names: str) -> str:
    """Style sheets as one, in this order."""
    return "\n".join((HERE / name).read_text(encoding="utf-8").strip() for name in names)
