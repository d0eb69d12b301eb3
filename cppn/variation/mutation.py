"""The mutation of a CPPN (Nguyen 2015, section 2, and the released `gen_dnn_ff.hpp`).

Each child gets, in this order: mutated weights, new activation functions, an edge added, an edge deleted, a
node added, a node deleted; each with its probability. No edit can close a cycle, add an edge into an input or
add an edge out of an output. The released code also mutates a parameter of each node that nothing reads; that
is left out here.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cppn.jit import forceinline, kernel
from cppn.keys import below, child_key, unit, words_into
from cppn.polynomial import mutate_values, new_tile
from cppn.population import INPUTS, Packed
from cppn.variation.genotype import (
    Genotype,
    append_edge,
    append_node,
    mark_ancestors,
    remove_edge,
    remove_node,
)

MORE_NODES, MORE_EDGES = 1, 2  # the most nodes and edges that one mutation can add
TOPOLOGY_WORDS = 12  # random words of `change_topology`


class PackedRates(NamedTuple):
    """`cppn.variation.Rates` as the kernel takes them. `choices` are the numbers of the activation functions
    to draw from."""

    weight_rate: float
    weight_eta: float
    activation_rate: float
    add_edge: float
    delete_edge: float
    add_node: float
    delete_node: float
    weight_range: float
    choices: NDArray[np.uint8]


@forceinline
def redraw_activations(genotype: Genotype, rates: PackedRates, words: NDArray[np.uint32]) -> None:
    """With probability `activation_rate`, give each node a random activation function; it may be the old one.

    Args:
        words: (2 * nodes,) uint32, two for each node.
    """
    for i in range(genotype.counts[0]):
        if unit(words[2 * i]) < rates.activation_rate:
            genotype.activations[i] = rates.choices[below(words[2 * i + 1], len(rates.choices))]


@forceinline
def add_edge(
    genotype: Genotype, rates: PackedRates, words: NDArray[np.uint32], marked: NDArray[np.bool_]
) -> None:
    """Add an edge from any input or hidden node to any output or hidden node that is neither the source nor
    one of its ancestors. There may be a second edge between the same two nodes. The outputs are always
    possible targets.

    Args:
        words: (3,) uint32, for the source, the target and the weight.
        marked: (at least INPUTS + nodes,) bool, overwritten.
    """
    outputs, nodes = genotype.outputs, genotype.counts[0]
    source = below(words[0], INPUTS + nodes - outputs)
    if source >= INPUTS:
        source += outputs  # the outputs are numbered between the inputs and the hidden nodes
    mark_ancestors(genotype, source, marked)
    free = 0
    for node in range(INPUTS, INPUTS + nodes):
        free += not marked[node]
    rank = below(words[1], free)
    for node in range(INPUTS, INPUTS + nodes):
        if not marked[node]:
            if rank == 0:
                weight = rates.weight_range * (2.0 * unit(words[2]) - 1.0)
                append_edge(genotype, source, node, np.float32(weight))
                return
            rank -= 1


@forceinline
def add_node(genotype: Genotype, rates: PackedRates, words: NDArray[np.uint32]) -> None:
    """Put a new hidden node in the place of any edge. Both new edges get the weight of the old one (in NEAT,
    one of them would get 1).

    Args:
        words: (2,) uint32, for the edge and the activation function.
    """
    edge = below(words[0], genotype.counts[1])
    source, target = np.int64(genotype.sources[edge]), np.int64(genotype.targets[edge])
    weight = genotype.weights[edge]
    remove_edge(genotype, edge)
    node = append_node(genotype, rates.choices[below(words[1], len(rates.choices))])
    append_edge(genotype, source, node, weight)
    append_edge(genotype, node, target, weight)


@forceinline
def change_topology(
    genotype: Genotype, rates: PackedRates, words: NDArray[np.uint32], marked: NDArray[np.bool_]
) -> None:
    """Apply the four edits of the graph, each with its probability. An edit that has nothing to delete does
    nothing. Nodes that a deletion leaves unconnected stay in the genotype.

    Args:
        words: (TOPOLOGY_WORDS,) uint32; each edit has words of its own, whether it happens or not.
        marked: (at least INPUTS + nodes,) bool, overwritten.
    """
    if unit(words[0]) < rates.add_edge:
        add_edge(genotype, rates, words[1:4], marked)
    if unit(words[4]) < rates.delete_edge and genotype.counts[1] > 0:
        remove_edge(genotype, below(words[5], genotype.counts[1]))
    if unit(words[6]) < rates.add_node and genotype.counts[1] > 0:
        add_node(genotype, rates, words[7:9])
    hidden = genotype.counts[0] - genotype.outputs
    if unit(words[9]) < rates.delete_node and hidden > 0:
        remove_node(genotype, INPUTS + genotype.outputs + below(words[10], hidden))


@forceinline
def copy_parent(
    outputs: int, parents: Packed, row: int, counts: NDArray[np.int64], out: Packed, node: int, edge: int
) -> Genotype:
    """Copy the parent in row `row` to `out`, from indices `node` and `edge` on. The genotype that is returned
    has room for what a mutation can add; `counts`, (2,) int64, is overwritten and becomes its counts."""
    first_node, first_edge = parents.node_offsets[row], parents.edge_offsets[row]
    counts[0] = parents.node_offsets[row + 1] - first_node
    counts[1] = parents.edge_offsets[row + 1] - first_edge
    last_node, last_edge = node + counts[0] + MORE_NODES, edge + counts[1] + MORE_EDGES
    child = Genotype(
        outputs,
        counts,
        out.activations[node:last_node],
        out.sources[edge:last_edge],
        out.targets[edge:last_edge],
        out.weights[edge:last_edge],
    )
    for i in range(counts[0]):
        child.activations[i] = parents.activations[first_node + i]
    for i in range(counts[1]):
        child.sources[i] = parents.sources[first_edge + i]
        child.targets[i] = parents.targets[first_edge + i]
        child.weights[i] = parents.weights[first_edge + i]
    return child


@kernel
def mutate_all(
    outputs: int,
    parents: Packed,
    rates: PackedRates,
    seed: np.uint64,
    generation: int,
    lane: int,
    children: NDArray[np.uint32],
    out: Packed,
) -> None:
    """Write a mutated child of each of N genotypes to packed arrays.

    Args:
        parents: N genotypes.
        seed, generation, lane, children: see `cppn.keys.Keys.counters`.
        out: the arrays that are written: (N + 1,) offsets, node arrays with room for MORE_NODES more per
            genotype, edge arrays with room for MORE_EDGES more.
    """
    largest = 0
    for row in range(len(children)):
        largest = max(largest, parents.node_offsets[row + 1] - parents.node_offsets[row])
    tile, counts = new_tile(), np.empty(2, np.int64)
    words = np.empty(TOPOLOGY_WORDS + 2 * largest + 3, np.uint32)
    marked = np.empty(INPUTS + largest, np.bool_)
    limit = rates.weight_range
    node, edge = 0, 0  # the indices in `out` where the next child begins
    out.node_offsets[0] = out.edge_offsets[0] = 0
    for row in range(len(children)):
        child = copy_parent(outputs, parents, row, counts, out, node, edge)
        key = child_key(seed, generation, lane, children[row])
        weights = child.weights[: counts[1]]
        block = mutate_values(weights, -limit, limit, rates.weight_rate, rates.weight_eta, key, tile)
        drawn = words[: (TOPOLOGY_WORDS + 2 * counts[0] + 3) // 4 * 4]
        words_into(key, block, drawn)
        redraw_activations(child, rates, drawn[TOPOLOGY_WORDS:])
        change_topology(child, rates, drawn[:TOPOLOGY_WORDS], marked)
        node, edge = node + counts[0], edge + counts[1]
        out.node_offsets[row + 1], out.edge_offsets[row + 1] = node, edge
