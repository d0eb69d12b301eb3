"""Values that a notebook shows as HTML.

The rooms that hold such values know no drawing: `fooling.present.notebook` registers how each kind looks.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T", bound="Drawn")

_DRAWINGS: dict[type[Any], Callable[[Any], str]] = {}


class Drawn:
    """A value whose HTML a notebook shows, if its kind has a drawing; otherwise its `repr`."""

    def _repr_html_(self) -> str | None:
        for kind in type(self).__mro__:
            if kind in _DRAWINGS:
                return _DRAWINGS[kind](self)
        return None


def drawing(kind: type[T]) -> Callable[[Callable[[T], str]], Callable[[T], str]]:
    """Registers a function as the drawing of a kind of values: it gives the HTML of one."""

    def register(draw: Callable[[T], str]) -> Callable[[T], str]:
        _DRAWINGS[kind] = draw
        return draw

    return register
