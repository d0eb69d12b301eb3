"""The tasks: pure functions of a host, shared arrays and a chunk, called by name.

Being named and pure, a task can be computed again after a crash, or on another machine, with the same
result. All randomness comes from the keys of the chunk.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cppn.keys import Keys
from fooling.archive import Candidates
from workers.host import Host


@dataclass(frozen=True)
class Parents:
    """What all chunks of a generation share.

    Attributes:
        genotypes: the population that parents are rows of; None in the first generation.
        thresholds: (K,) float32, the confidence that a candidate has to beat in each class.
    """

    genotypes: Any
    thresholds: NDArray[np.float32]


@dataclass(frozen=True)
class Brood:
    """A chunk of children.

    Attributes:
        keys: one per child.
        rows: (n, 2) int64, each child's parent and mate, as rows of the parents; None in the first
            generation.
    """

    keys: Keys
    rows: NDArray[np.int64] | None


TASKS: dict[str, Callable[[Host, Any, Any], Any]] = {}


def task(function: Callable[[Host, Any, Any], Any]) -> Callable[[Host, Any, Any], Any]:
    """Register a task under its function's name."""
    TASKS[function.__name__] = function
    return function


def compute(host: Host, name: str, shared: Any, chunk: Any) -> Any:
    """The result of a registered task."""
    return TASKS[name](host, shared, chunk)


@task
def breed(host: Host, shared: Parents, chunk: Brood) -> Candidates:
    """Vary, render, classify: the children that beat a threshold."""
    genotypes = vary(host.toolbox, shared.genotypes, chunk)
    pixels = host.toolbox.render(genotypes)
    confidences = host.toolbox.classify(pixels)
    return Candidates.best_of(identities(chunk.keys), pixels, genotypes, confidences, shared.thresholds)


def vary(toolbox: Any, parents: Any, chunk: Brood) -> Any:
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
