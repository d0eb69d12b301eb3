"""The search `breed`: all images of a line that a person bred are shown to a classifier, generation by generation.

What is chosen is in the settings, so such a run is computed as any other: it can be interrupted, spread over workers
and repeated to the bit. Every image competes for every class.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fooling.archive import Archive, Candidates, lineage
from fooling.encodings.cppn import CppnEncoding
from fooling.errors import InvalidError
from fooling.search.breed.brood import DRAWS, Breeder, Brood
from fooling.search.evaluation import Wanted
from fooling.search.line import start, steps
from fooling.search.line.steps import CHILDREN
from fooling.search.protocol import Compute, Default, Outcome

_Image = tuple[int, int]  # generation and number


class Breed(Default):
    """The search named `breed`. Its images follow from its settings alone; its state is which of them are told of."""

    resumable = True

    def __init__(self, settings: Any, encoding: CppnEncoding, seed: int, archive: Archive) -> None:
        """`settings` is the `[search]` table."""
        genotype = start.from_text(settings.genotype) if settings.genotype is not None else None
        self._steps, self._encoding, self._archive = steps.from_text(settings.line), encoding, archive
        self._breeder = Breeder(encoding, seed, genotype)
        self._broods: list[Brood] = []
        self._parents: dict[_Image, _Image] = {}
        self._told: set[_Image] = set()  # images that the lineage has

    @classmethod
    def create(
        cls, search: Any, encoding: Any, seed: int, chunk: int, toolbox: Any, archive: Archive
    ) -> Breed:
        """See `Search.create`: a person is all its operators."""
        return cls(search, CppnEncoding(encoding, archive.pixels.shape[3]), seed, archive)

    @staticmethod
    def check(
        search: Any, archive: Archive, generation: int, arrays: Mapping[str, NDArray[Any]], goes_on: bool
    ) -> None:
        """See `Search.check`."""
        told = arrays.get("told", np.zeros(0))
        if told.dtype != np.int32 or told.ndim != 2 or told.shape[1] != 2 or len(arrays) > 1:
            raise InvalidError("search.told: expected (n, 2) int32 and nothing else")
        if len(told) and (
            told.min() < 0 or told[:, 0].max() > generation or told[:, 1].max() >= DRAWS * CHILDREN
        ):
            raise InvalidError(f"search.told: expected images up to generation {generation}")

    @property
    def generations(self) -> int:
        """The choices."""
        return len(self._steps)

    def step(self, number: int, compute: Compute) -> Outcome:
        """Show the children after so many choices to the classifier."""
        brood = self._brood(number)
        order = np.argsort(brood.numbers)
        genotypes = brood.genotypes.take(order)
        pixels = self._encoding.render(genotypes)
        asked = Wanted(pixels, allow_nan=True, name=f"the images of generation {number}")
        (answer,) = compute("evaluate", None, [asked])
        ids = np.zeros((len(order), 3), np.int32)
        ids[:, 0], ids[:, 2] = number, brood.numbers[order]
        found = Candidates.best_of(ids, pixels, genotypes, answer["confidences"], self._archive.thresholds)
        changed = self._archive.offer(found) if len(found.cells) else np.zeros(0, np.int64)
        return Outcome(
            evaluations=len(order),
            replacements=len(changed),
            goal_switches=0,
            lineage=self._records(changed),
            nan=found.nan,
        )

    def arrays(self) -> dict[str, NDArray[Any]]:
        """`told`: (n, 2) int32, generation and number of each image that the lineage has."""
        return {"told": np.array(sorted(self._told), np.int32).reshape(-1, 2)}

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """The inverse of `arrays`."""
        self._told = {(generation, number) for generation, number in arrays["told"].tolist()}

    def _brood(self, number: int) -> Brood:
        while len(self._broods) <= number:
            last = self._broods[-1] if self._broods else None
            generation = len(self._broods)
            brood = (
                self._breeder.first()
                if last is None
                else self._breeder.following(last, self._steps[generation - 1])
            )
            self._broods.append(brood)
            ids = zip(brood.numbers.tolist(), brood.parent_ids.tolist(), strict=True)
            self._parents |= {(generation, own): (its[0], its[1]) for own, its in ids if its[0] >= 0}
        return self._broods[number]

    def _records(self, changed: NDArray[Any]) -> NDArray[np.int32]:
        """The lineage records of the new elites of some cells, and of their ancestors that were not told before. A person
        picked these, not for a class: they stand with that of the elite."""
        rows: list[tuple[int, ...]] = []
        for cell in changed.tolist():
            generation, _, number = self._archive.elite_ids[cell].tolist()
            image: _Image | None = (generation, number)
            while image is not None and image not in self._told:
                self._told.add(image)
                parent = self._parents.get(image)
                origin = (-1, -1, -1, -1) if parent is None else (parent[0], 0, parent[1], cell)
                rows.append((image[0], 0, image[1], *origin))
                image = parent
        table = np.array(rows, np.int32).reshape(-1, 7)
        return lineage.records(table[:, :3], table[:, 3:])
