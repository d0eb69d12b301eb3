"""Ensembles whose networks are each on workers of their own, so that a set of them can be larger than a GPU.

Every group of workers varies and renders the same children (which is cheap, and pure) and answers for its
network; here the answers are combined, and the images that beat a threshold are made once more to be kept.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fooling.archive import Candidates
from fooling.errors import FoolingError
from fooling.search.breeding import (
    Offspring,
    Parents,
    breed,
    evaluate_offspring,
    identities,
    render_offspring,
)
from workers.distributed import RayExecutor

Combine = Callable[[Sequence[NDArray[np.float32]]], NDArray[np.float32]]


class SpreadExecutor:
    """Computes the task `breed` of an ensemble; see `workers.protocol.Executor`."""

    def __init__(self, groups: Sequence[RayExecutor], combine: Combine) -> None:
        """
        Args:
            groups: one for each network, on one cluster, whose hosts ask that network only.
            combine: the answers of all networks, each (n, K) float32, to those of the ensemble.
        """
        self._groups, self._combine = groups, combine
        self._threads = ThreadPoolExecutor(len(groups), "group")

    @property
    def evaluators(self) -> int:
        return min(group.evaluators for group in self._groups)

    @property
    def workers(self) -> list[dict[str, Any]]:
        """What the workers that are ready say of themselves."""
        return [facts for group in self._groups for facts in group.workers]

    def log_into(self, folder: Path) -> None:
        for group in self._groups:
            group.log_into(folder)

    def halve_batch(self) -> int:
        batches = [group.halve_batch() for group in self._groups]
        return batches[0]

    def map(
        self, task: str, shared: Parents, chunks: Sequence[Offspring]
    ) -> Generator[Candidates, None, None]:
        if task != breed.__name__:
            raise FoolingError(
                f"networks on workers of their own can breed, not {task}: set run.spread = false for this search"
            )
        answers = [
            self._threads.submit(list, group.map(evaluate_offspring.__name__, shared, chunks))
            for group in self._groups
        ]
        found = [
            self._winners(shared, chunk, self._combine(parts))
            for chunk, *parts in zip(chunks, *(answer.result() for answer in answers), strict=True)
        ]
        kept = [number for number, (offspring, _) in enumerate(found) if len(offspring.keys)]
        images = self._groups[0].map(render_offspring.__name__, shared, [found[number][0] for number in kept])
        made = dict(zip(kept, images, strict=True))
        for number, (offspring, values) in enumerate(found):
            if number in made:
                genotypes, pixels = made[number]
                ids = identities(offspring.keys)
                yield Candidates.best_of(ids, pixels, genotypes, values, shared.thresholds)

    def close(self) -> None:
        self._threads.shutdown(wait=True, cancel_futures=True)
        for group in self._groups[1:]:
            group.end_workers()
        self._groups[0].close()

    @staticmethod
    def _winners(
        shared: Parents, chunk: Offspring, confidences: NDArray[np.float32]
    ) -> tuple[Offspring, NDArray[np.float32]]:
        """Of a chunk's children, those that are the best for a class whose threshold they beat, and their
        confidences; and those that have none, which are to be told of."""
        nan = np.asarray(np.isnan(confidences).any(axis=1, keepdims=True))
        ranked = np.where(nan, -np.inf, confidences)
        beaten = np.flatnonzero(ranked.max(axis=0) > shared.thresholds)
        rows = np.union1d(ranked[:, beaten].argmax(axis=0), np.flatnonzero(nan))
        keys = replace(chunk.keys, children=chunk.keys.children[rows])
        return Offspring(keys, None if chunk.rows is None else chunk.rows[rows]), confidences[rows]
