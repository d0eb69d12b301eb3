"""The ancestors of an elite, read from the run's lineage: the parents of each, and the classes that these held."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fooling.errors import InvalidError

Identity = tuple[int, int, int]  # generation, stream, child
NOBODY = -1


@dataclass(frozen=True)
class Ancestor:
    """An image on the way to an elite, or the elite itself.

    Attributes:
        identity: the image's generation, stream and child.
        parents: its parent and, where the encoding has crossover, its mate; none in the first generation.
        held: the class that each of the parents held when it was chosen.
    """

    identity: Identity
    parents: tuple[Identity, ...]
    held: tuple[int, ...]

    @property
    def generation(self) -> int:
        """The generation of the image; 0 is the first, random one."""
        return self.identity[0]


def ancestors(records: NDArray[np.int32], of: Identity) -> list[Ancestor]:
    """An image and all of its ancestors, by generation, stream and child: the image itself comes last.

    Args:
        records: (N, 11) int32, as `fooling.archive.lineage` describes them.

    Raises:
        InvalidError: an ancestor is missing from the records.
    """
    known = {tuple(row[:3].tolist()): row for row in records}
    found: dict[Identity, Ancestor] = {}
    wanted = [of]
    while wanted:
        identity = wanted.pop()
        if identity in found:
            continue
        if identity not in known:
            raise InvalidError(
                f"the lineage does not tell of child {identity[2]} of generation {identity[0]}: it was cut, or altered"
            )
        found[identity] = ancestor = _ancestor(identity, known[identity])
        wanted += ancestor.parents
    return [found[identity] for identity in sorted(found)]


def line(family: Iterable[Ancestor]) -> list[Ancestor]:
    """The line of a family: the last image, its parent, the parent of that, and so on, without mates, the oldest
    first."""
    known = {ancestor.identity: ancestor for ancestor in family}
    way = [known[max(known)]]
    while way[-1].parents:
        way.append(known[way[-1].parents[0]])
    return way[::-1]


def classes_held(family: Sequence[Ancestor], number: int) -> dict[Identity, list[int]]:
    """The classes that each member held when it was chosen to be a parent, ascending; of the last, the elite of class
    `number`, that class."""
    held: dict[Identity, set[int]] = {ancestor.identity: set() for ancestor in family}
    held[family[-1].identity].add(number)
    for ancestor in family:
        for parent, as_elite_of in zip(ancestor.parents, ancestor.held, strict=True):
            held[parent].add(as_elite_of)
    return {identity: sorted(classes) for identity, classes in held.items()}


def gains(curve: Iterable[dict[str, Any]]) -> dict[tuple[int, int], float]:
    """(generation, class) -> the confidence that its new elite had then.

    Args:
        curve: the records of a run's generations, from its log.
    """
    return {
        (event["generation"], number): confidence
        for event in curve
        for number, confidence in event.get("gains", ())
    }


def _ancestor(identity: Identity, row: NDArray[np.int32]) -> Ancestor:
    pairs = [part.tolist() for part in (row[3:7], row[7:11]) if part[0] != NOBODY]
    parents = tuple((int(p[0]), int(p[1]), int(p[2])) for p in pairs)
    return Ancestor(identity, parents, tuple(int(p[3]) for p in pairs))
