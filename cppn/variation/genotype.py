"""One CPPN genotype that is being edited, and the basic edits of its graph."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cppn.jit import forceinline
from cppn.keys import Integer
from cppn.population import INPUTS


class Genotype(NamedTuple):
    """Views of the arrays of a genotype, longer than it so that edits can append to them.

    Attributes:
        outputs: the number of output nodes.
        counts: (2,) int64: the number of output and hidden nodes, and the number of edges.
        activations: (>= nodes,) uint8, the activation functions of output and hidden nodes; that of node i
            stands at i - INPUTS.
        sources, targets: (>= edges,) int32, the nodes that each edge connects, in local numbers.
        weights: (>= edges,) float32.
    """

    outputs: int
    counts: NDArray[np.int64]
    activations: NDArray[np.uint8]
    sources: NDArray[np.int32]
    targets: NDArray[np.int32]
    weights: NDArray[np.float32]


@forceinline
def append_node(genotype: Genotype, activation: np.uint8) -> np.int64:
    """Append a hidden node. Returns its number."""
    genotype.activations[genotype.counts[0]] = activation
    genotype.counts[0] += 1
    return INPUTS + genotype.counts[0] - 1


@forceinline
def append_edge(genotype: Genotype, source: Integer, target: Integer, weight: np.float32) -> None:
    """Append an edge from node `source` to node `target`."""
    last = genotype.counts[1]
    genotype.sources[last], genotype.targets[last], genotype.weights[last] = source, target, weight
    genotype.counts[1] += 1


@forceinline
def remove_edge(genotype: Genotype, edge: Integer) -> None:
    """Remove an edge; the others keep their order."""
    genotype.counts[1] -= 1
    for i in range(edge, genotype.counts[1]):
        genotype.sources[i] = genotype.sources[i + 1]
        genotype.targets[i] = genotype.targets[i + 1]
        genotype.weights[i] = genotype.weights[i + 1]


@forceinline
def remove_node(genotype: Genotype, node: Integer) -> None:
    """Remove a hidden node and its edges; the numbers of the nodes after it fall by one."""
    nodes, edges = genotype.counts
    for i in range(node - INPUTS, nodes - 1):
        genotype.activations[i] = genotype.activations[i + 1]
    kept = 0
    for i in range(edges):
        source, target = genotype.sources[i], genotype.targets[i]
        if source != node and target != node:
            genotype.sources[kept] = source - 1 if source > node else source
            genotype.targets[kept] = target - 1 if target > node else target
            genotype.weights[kept] = genotype.weights[i]
            kept += 1
    genotype.counts[0], genotype.counts[1] = nodes - 1, kept


@forceinline
def mark_ancestors(genotype: Genotype, node: Integer, marked: NDArray[np.bool_]) -> None:
    """Mark a node and every node that it depends on.

    Args:
        marked: (at least INPUTS + nodes,) bool, overwritten.
    """
    for i in range(INPUTS + genotype.counts[0]):
        marked[i] = False
    marked[node] = True
    found = True
    while found:
        found = False
        for i in range(genotype.counts[1] - 1, -1, -1):
            if marked[genotype.targets[i]] and not marked[genotype.sources[i]]:
                marked[genotype.sources[i]] = True
                found = True
