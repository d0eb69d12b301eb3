"""MAP-Elites over classes (Mouret & Clune 2015), as in Nguyen, Yosinski & Clune 2015, section 2.

Generation 0 is `initial` random images. Each later one draws parents uniformly from the cells of the
archive as it stood when the generation began, varies, renders and classifies `population` children, and
offers each of them to every class.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cppn.keys import Keys
from fooling.archive import Archive, Candidates, lineage
from fooling.archive.nan_images import NanImages
from fooling.errors import InvalidError
from fooling.search.breeding import Offspring, Parents, offspring_chunks
from fooling.search.protocol import Compute, Outcome, Stateless


@dataclass(frozen=True)
class Generation:
    """One generation's work, ready for an executor.

    Attributes:
        keys: of its children.
        task, shared, chunks: what `Executor.map` takes.
        parents: (size, 2) cells of each child's parent and mate; None in generation 0.
    """

    keys: Keys
    task: str
    shared: Parents
    chunks: list[Offspring]
    parents: NDArray[np.int64] | None

    @property
    def size(self) -> int:
        """Images that it makes."""
        return len(self.keys)


class MapElites(Stateless):
    """The search named `map-elites`. It has no state besides the archive."""

    resumable = True

    def __init__(self, settings: Any, seed: int, chunk: int, toolbox: Any, archive: Archive) -> None:
        """`settings` is the `[search]` table."""
        self._settings, self._seed, self._chunk = settings, seed, chunk
        self._toolbox, self._archive = toolbox, archive

    @property
    def generations(self) -> int:
        """Generations after the first, random one."""
        return self._settings.generations

    def step(self, number: int, compute: Compute) -> Outcome:
        """Generation `number`, whole."""
        generation = self.ask(number)
        return self.tell(generation, compute(generation.task, generation.shared, generation.chunks))

    def ask(self, number: int) -> Generation:
        """The work of generation `number`."""
        archive = self._archive
        first = number == 0
        size = (self._settings.initial or self._settings.population) if first else self._settings.population
        keys = Keys.of_generation(self._seed, number, size)
        parents = None if first else np.asarray(self._toolbox.select(archive, keys), np.int64)
        rows = None if parents is None else archive.rows[parents[:, : self._columns]].astype(np.int64)
        shared = Parents(None if first else archive.genotypes, archive.thresholds)
        return Generation(keys, "breed", shared, offspring_chunks(keys, rows, self._chunk), parents)

    def tell(self, generation: Generation, results: Iterable[Candidates]) -> Outcome:
        """Read the results of `ask`'s work into the archive.

        Raises:
            InvalidError: after generation 0 there is nothing to breed from.
        """
        results = list(results)
        outcome = self._told(generation, results)
        nan = NanImages.joined(result.nan for result in results)
        if nan is None:
            return outcome
        if generation.keys.generation == 0 and not len(self._archive.occupied):
            raise InvalidError(
                f"expected a classifier with a confidence for some of {generation.size} random images, found NaN or "
                "infinity for all of them"
            )
        return replace(outcome, nan=nan)

    def _told(self, generation: Generation, results: Iterable[Candidates]) -> Outcome:
        archive, claims = self._archive, [result for result in results if len(result.cells)]
        if not claims:  # the usual case, once a run has settled: worth being quick about
            return Outcome(generation.size, 0, 0, lineage.NONE)
        before, ids_before = archive.rows, archive.elite_ids
        changed = archive.offer(*claims)
        if not len(changed):
            return Outcome(generation.size, 0, 0, lineage.NONE)
        ids = archive.ids[np.unique(archive.rows[changed])]
        if generation.parents is None:
            return Outcome(generation.size, len(changed), 0, lineage.records(ids))
        origins = [
            np.column_stack([ids_before[cells], cells]).astype(np.int32)
            for cells in generation.parents[ids[:, 2]].T[: self._columns]
        ]
        parents_of_new = generation.parents[archive.elite_ids[changed, 2]][:, : self._columns]
        of_the_class = before[archive.cells.siblings(changed)]
        switched = (before[parents_of_new][:, :, None] != of_the_class[:, None]).all(axis=2).any(axis=1)
        return Outcome(generation.size, len(changed), int(switched.sum()), lineage.records(ids, *origins))

    @property
    def _columns(self) -> int:
        """Parents that a child has."""
        return 2 if hasattr(self._toolbox, "mate") else 1
