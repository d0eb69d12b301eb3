"""One class's population on its way through the executor: bred by a library, judged in chunks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fooling.archive import Candidates
from fooling.search.global_random import Stream
from fooling.search.protocol import Compute
from fooling.search.single.algorithm import Algorithm
from fooling.search.single.genealogy import Genealogy
from fooling.search.single.task import Evaluated, Images, Target

_LAST = -1.0  # ranks images that the classifier has no confidence for behind all others


@dataclass
class Generation:
    """What a generation was worth.

    Attributes:
        evaluations: images judged.
        again: of those, the ones that had been judged before.
        candidates: for the archive.
    """

    evaluations: int = 0
    again: int = 0
    candidates: list[Candidates] = field(default_factory=list)


class ClassPopulation:
    """The population of one class.

    Attributes:
        target: the class.
        generations: how many it has had.
        genealogy: of all its individuals.
    """

    def __init__(self, target: int, seed: int, encoding: Any, size: int) -> None:
        self.target, self.generations = target, 0
        self.genealogy = Genealogy(target)
        self._random = Stream(f"single-class {seed} {target}")
        with self._random.lent():
            self._breeder = _breeder(encoding, size)

    def advance(self, number: int, threshold: float, chunk: int, compute: Compute) -> Generation:
        """One generation, which is the run's step `number`.

        Args:
            threshold: the confidence that a candidate has to beat.
            chunk: images that are rendered and classified together.
        """
        generation, aim = Generation(), Target(self.target, threshold)

        def judge(keys: Sequence[int], genotypes: Any, parents: Sequence[Sequence[int]]) -> list[float]:
            ids = self.genealogy.enter(number, keys, parents)
            chunks = [
                Images(ids[rows], genotypes.take(np.arange(rows.start, rows.stop)))
                for rows in _cut(len(keys), chunk)
            ]
            with self._random.paused():
                evaluated: list[Evaluated] = compute("evaluate_individuals", aim, chunks)
            generation.evaluations += len(keys)
            generation.again += int((ids[:, 0] < number).sum())
            generation.candidates += [verdict.candidates for verdict in evaluated]
            confidences = np.concatenate([verdict.confidences for verdict in evaluated])
            return np.nan_to_num(confidences, nan=_LAST).tolist()

        with self._random.lent():
            self._breeder.advance(judge)
        self.generations += 1
        return generation


def _cut(length: int, size: int) -> list[slice]:
    return [slice(start, min(start + size, length)) for start in range(0, length, size)]


def _breeder(encoding: Any, size: int) -> Algorithm:
    """The library that suits an encoding, with its random first population."""
    if encoding.name == "direct":
        from fooling.search.single.direct import DirectAlgorithm

        return DirectAlgorithm(encoding, size)
    from fooling.search.single.neat_cppn import CppnAlgorithm

    return CppnAlgorithm(encoding, size)
