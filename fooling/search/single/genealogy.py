"""Who came from whom in one class's population, told only of those whose descendants became elites.

In MAP-Elites every parent was an elite, so the lineage file knows it. Here parents are members of a population
that nobody else sees: an elite's ancestors are told when it enters the archive, each of them once.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fooling.archive import lineage

_NOBODY = (-1, -1, -1, -1)


class Genealogy:
    """The individuals of one class, by the keys that their library gives them."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._ids: dict[int, tuple[int, int]] = {}  # key -> generation and child
        self._parents: dict[int, Sequence[int]] = {}
        self._keys: dict[tuple[int, int], int] = {}
        self._told: set[int] = set()

    def enter(
        self, generation: int, keys: Sequence[int], parents: Sequence[Sequence[int]]
    ) -> NDArray[np.int32]:
        """The ids of the individuals of a generation; those that it knows already keep theirs.

        Args:
            keys: ascending.
            parents: of each, the keys of up to two.

        Returns:
            (n, 3) int32, ascending: generation, stream 0, child.
        """
        child = 0
        for key, its in zip(keys, parents, strict=True):
            if key not in self._ids:
                self._ids[key], self._parents[key] = (generation, child), its
                self._keys[generation, child] = key
                child += 1
        return np.array([(self._ids[key][0], 0, self._ids[key][1]) for key in keys], np.int32)

    def tell(self, ids: NDArray[np.int32]) -> NDArray[np.int32]:
        """The lineage records of these individuals and of their ancestors, but of those told before.

        Args:
            ids: (n, 3) int32.

        Returns:
            (N, 11) int32, as `fooling.archive.lineage` has them. Parents held a place in the target's population: that
            is the class they stand with.
        """
        waiting = [self._keys[generation, child] for generation, _, child in ids.tolist()]
        new: list[int] = []
        while waiting:
            key = waiting.pop()
            if key not in self._told:
                self._told.add(key)
                new.append(key)
                waiting.extend(self._parents[key])
        own = np.array([self._id(key)[:3] for key in new], np.int32).reshape(-1, 3)
        columns = [np.array([self._parent(key, n) for key in new], np.int32).reshape(-1, 4) for n in (0, 1)]
        return lineage.records(own, *columns)

    def _parent(self, key: int, number: int) -> tuple[int, int, int, int]:
        parents = self._parents[key]
        return self._id(parents[number]) if number < len(parents) else _NOBODY

    def _id(self, key: int) -> tuple[int, int, int, int]:
        generation, child = self._ids[key]
        return generation, 0, child, self._target
