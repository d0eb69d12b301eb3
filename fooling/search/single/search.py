"""Single-class evolution (Nguyen, Yosinski & Clune 2015b, "Innovation Engines"): each class in turn has a population
of its own, bred for its confidence in that class alone.

A step is one generation of one class's population. The libraries' state is not kept, so a resume goes on after
the last class that was finished; the one that was under way begins again from its seed, to the same end.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from fooling import encodings
from fooling.archive import Archive
from fooling.archive.nan_images import NanImages
from fooling.errors import InvalidError
from fooling.search.protocol import Compute, Outcome, Stateless
from fooling.search.settings import ResolvedSingleClass
from fooling.search.single import task  # noqa: F401 - registers what it has computed
from fooling.search.single.population import ClassPopulation
from fooling.sizes import colour_of, size_of


class SingleClass(Stateless):
    """The search named `single-class`."""

    def __init__(
        self, settings: ResolvedSingleClass, encoding: Any, seed: int, chunk: int, archive: Archive
    ) -> None:
        """`settings` is the `[search]` table; `encoding` is the run's."""
        self._settings, self._classes = settings, settings.classes
        self._encoding, self._seed, self._chunk, self._archive = encoding, seed, chunk, archive
        self._population: ClassPopulation | None = None
        self.resumable = True

    @classmethod
    def create(
        cls, search: Any, encoding: Any, seed: int, chunk: int, toolbox: Any, archive: Archive
    ) -> SingleClass:
        """See `Search.create`: the operators are those of DEAP and neat-python."""
        *sides, channels = archive.pixels.shape[1:]
        return cls(
            search, encodings.create(encoding, size_of(sides), colour_of(channels)), seed, chunk, archive
        )

    @staticmethod
    def check(
        search: Any, archive: Archive, generation: int, arrays: Mapping[str, NDArray], goes_on: bool
    ) -> None:
        """See `Search.check`: it goes on at the end of a class only."""
        length = search.generations_per_class
        if goes_on and (generation + 1) % length:
            raise InvalidError(
                f"state: generation: expected the last of a class, one of each {length}, found {generation}"
            )

    @property
    def generations(self) -> int:
        """Steps after step 0: the generations of all classes together."""
        return self._settings.generations

    def step(self, number: int, compute: Compute) -> Outcome:
        """A generation of the class whose turn it is.

        Raises:
            RuntimeError: it is in the middle of a class whose earlier generations were not this object's steps.
        """
        length = self._settings.generations_per_class
        turn, generation = divmod(number, length)
        population, self._population = self._population, None  # of no more use if this step fails
        if generation == 0:
            settings, target = self._settings, self._classes[turn]
            population = ClassPopulation(target, self._seed, self._encoding, settings.population)
        if population is None or population.generations != generation:
            raise RuntimeError(f"step {number} has to follow step {number - 1}, of the same class")
        target, archive = population.target, self._archive
        threshold = float(archive.thresholds[target])
        found = population.advance(number, threshold, self._chunk, compute)
        changed = archive.offer(*found.candidates)
        self._population, self.resumable = population, generation == length - 1
        return Outcome(
            evaluations=found.evaluations,
            replacements=len(changed),
            goal_switches=0,
            lineage=population.genealogy.tell(archive.elite_ids[changed]),
            statistics={"class": target, "class_generation": generation, "judged_again": found.again},
            nan=NanImages.joined(candidates.nan for candidates in found.candidates),
        )
