"""The check of arrays from outside: kernels index without bounds checks, so nothing but valid genotypes may
reach them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cppn.activations import NAMES
from cppn.jit import kernel, readonly
from cppn.population import INPUTS, Population

_DTYPES = {
    "node_offsets": np.int64,
    "edge_offsets": np.int64,
    "activations": np.uint8,
    "sources": np.int32,
    "targets": np.int32,
    "weights": np.float32,
}


def check(population: Population) -> Population:
    """The population itself, if every genotype in it is valid.

    Raises:
        ValueError: the line says what is wrong, and where.
    """
    for name, dtype in _DTYPES.items():
        array = getattr(population, name)
        if array.dtype != dtype or array.ndim != 1:
            raise ValueError(
                f"{name}: expected 1 axis of {np.dtype(dtype)}, found {array.ndim} of {array.dtype}"
            )
    if population.outputs not in (1, 3):
        raise ValueError(f"outputs: expected 1 or 3, found {population.outputs}")
    _check_offsets("node_offsets", population.node_offsets, len(population.activations), population.outputs)
    _check_offsets("edge_offsets", population.edge_offsets, len(population.sources), 0)
    if len(population.node_offsets) != len(population.edge_offsets):
        raise ValueError("node_offsets, edge_offsets: expected the same length")
    if not len(population.sources) == len(population.targets) == len(population.weights):
        raise ValueError("sources, targets, weights: expected the same length")
    _check_edges(population)
    return population


def _check_offsets(name: str, offsets: NDArray[np.int64], length: int, least: int) -> None:
    """Refuse offsets that do not cut `length` items into runs of at least `least`."""
    inside = len(offsets) and offsets[0] == 0 and offsets[-1] == length and offsets.max() <= length
    if not inside or offsets.min() < 0 or (np.diff(offsets) < least).any():
        raise ValueError(f"{name}: expected numbers from 0 to {length} in steps of at least {least}")


def _check_edges(population: Population) -> None:
    last = np.repeat(INPUTS + population.nodes, population.edges)
    sources, targets, outputs = population.sources, population.targets, population.outputs
    from_output = (sources >= INPUTS) & (sources < INPUTS + outputs)
    wrong = {
        "an activation is not in the table": population.activations >= len(NAMES),
        "a weight is not finite": ~np.isfinite(population.weights),
        "an edge comes from no node": (sources < 0) | (sources >= last),
        "an edge comes from an output": from_output,
        "an edge goes to no node": (targets < INPUTS) | (targets >= last),
    }
    for what, where in wrong.items():
        if where.any():
            raise ValueError(f"not a population of CPPNs: {what} (number {int(where.argmax())} of its array)")
    arrays = (population.node_offsets, population.edge_offsets, sources, targets)
    row = first_cycle(*[readonly(array) for array in arrays])
    if row >= 0:
        raise ValueError(f"not a population of CPPNs: genotype {row} has a cycle")


@kernel
def first_cycle(
    node_offsets: NDArray[np.int64],
    edge_offsets: NDArray[np.int64],
    sources: NDArray[np.int32],
    targets: NDArray[np.int32],
) -> int:
    """The first genotype whose edges close a cycle; -1 if there is none."""
    for row in range(len(node_offsets) - 1):
        nodes = INPUTS + node_offsets[row + 1] - node_offsets[row]
        depth = np.zeros(
            nodes, np.int64
        )  # the length of the longest path to each node; it grows for ever in a cycle
        settled, sweeps = False, 0
        while not settled:
            if sweeps > nodes:
                return row
            settled = True
            for edge in range(edge_offsets[row], edge_offsets[row + 1]):
                if depth[targets[edge]] <= depth[sources[edge]]:
                    depth[targets[edge]] = depth[sources[edge]] + 1
                    settled = False
            sweeps += 1
    return -1
