"""What breeds one class's population: a library's own algorithm, a generation at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

# (keys, genotypes, parents) to the confidence of each: keys ascending, genotypes packed, and of each the keys of
# up to two parents.
Judge = Callable[[Sequence[int], Any, Sequence[Sequence[int]]], list[float]]


class Algorithm(Protocol):
    """One class's population. It draws from the global `random`, which the caller lends it."""

    def advance(self, judge: Judge) -> None:
        """One generation: at first the random population is judged, later children are bred, all by the
        library's own code. `judge` is called once. After an exception of `judge` it is of no more use."""
        ...
