"""The tasks that breed: a chunk of children is varied, rendered and classified, and its best images come back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cppn.keys import Keys
from fooling.archive import Candidates
from workers.host import Host
from workers.tasks import task


@dataclass(frozen=True)
class Parents:
    """What all chunks of a generation share.

    Attributes:
        genotypes: the population that parents are rows of; None in the first generation.
        thresholds: (K,) float32, the confidence that a candidate has to beat in each class.
    """

    genotypes: Any
    thresholds: NDArray[np.float32]

    @property
    def nbytes(self) -> int:
        """Of all arrays."""
        arrays = self.genotypes.arrays().values() if self.genotypes is not None else ()
        return self.thresholds.nbytes + sum(array.nbytes for array in arrays)

    def packed(self, chunks: Sequence[Offspring]) -> tuple[Parents, list[Offspring]]:
        """The same work with only those genotypes that are somebody's parent or mate."""
        rows = [chunk.rows for chunk in chunks if chunk.rows is not None]
        if len(rows) < len(chunks):
            return self, list(chunks)
        used, renumbered = np.unique(np.concatenate(rows), return_inverse=True)
        parts = np.split(
            renumbered.reshape(-1, rows[0].shape[1]), np.cumsum([len(part) for part in rows])[:-1]
        )
        packed = [replace(chunk, rows=part) for chunk, part in zip(chunks, parts, strict=True)]
        return Parents(self.genotypes.take(used), self.thresholds), packed


@dataclass(frozen=True)
class Offspring:
    """A chunk of children.

    Attributes:
        keys: one per child.
        rows: (n, 2) int64, each child's parent and mate, as rows of the parents; (n, 1) where nobody mates;
            None in the first generation.
    """

    keys: Keys
    rows: NDArray[np.int64] | None

    @property
    def name(self) -> str:
        """What messages call it."""
        first, last = int(self.keys.children[0]), int(self.keys.children[-1])
        return f"children {first} to {last} of generation {self.keys.generation}"


def offspring_chunks(keys: Keys, rows: NDArray[np.int64] | None, size: int) -> list[Offspring]:
    """Children and their parents' rows, cut into chunks of at most `size`."""
    cuts = [slice(start, start + size) for start in range(0, len(keys), size)]
    return [Offspring(keys[cut], None if rows is None else rows[cut]) for cut in cuts]


@task
def breed(host: Host, shared: Parents, chunk: Offspring) -> Candidates:
    """Vary, render, classify: the children that beat a threshold."""
    genotypes = vary(host.toolbox, shared.genotypes, chunk)
    pixels = host.toolbox.render(genotypes)
    confidences = host.toolbox.classify(pixels)
    return Candidates.best_of(identities(chunk.keys), pixels, genotypes, confidences, shared.thresholds)


@task
def evaluate_offspring(host: Host, shared: Parents, chunk: Offspring) -> NDArray[np.float32]:
    """Vary, render, classify: what this host's classifier says of each child, (n, K) float32."""
    confidences = host.toolbox.classify(host.toolbox.render(vary(host.toolbox, shared.genotypes, chunk)))
    return confidences if isinstance(confidences, np.ndarray) else confidences.cpu().numpy()


@task
def render_offspring(host: Host, shared: Parents, chunk: Offspring) -> tuple[Any, NDArray[np.uint8]]:
    """Vary and render: the children themselves."""
    genotypes = vary(host.toolbox, shared.genotypes, chunk)
    pixels = host.toolbox.render(genotypes)
    return genotypes, pixels if isinstance(pixels, np.ndarray) else pixels.cpu().numpy()


def vary(toolbox: Any, parents: Any, chunk: Offspring) -> Any:
    """The children's genotypes. Operators get a population of their own, which they may change."""
    if chunk.rows is None:
        return toolbox.initialise(chunk.keys)
    children = parents.take(chunk.rows[:, 0])
    if hasattr(toolbox, "mate"):
        children = toolbox.mate(children, parents.take(chunk.rows[:, 1]), chunk.keys)
    return toolbox.mutate(children, chunk.keys)


def identities(keys: Keys) -> NDArray[np.int32]:
    """(n, 3) int32: generation, stream, child."""
    ids = np.empty((len(keys), 3), np.int32)
    ids[:, 0], ids[:, 1], ids[:, 2] = keys.generation, keys.stream, keys.children
    return ids
