"""The mutation of a CPPN (Nguyen 2015, section 2, and the released `gen_dnn_ff.hpp`): five edits, in this
order, of every child. None of them can close a cycle, feed an input or let an output feed anything.

The released code mutates one more gene, a parameter of each node that nothing reads: it is left out.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cppn.jit import inline, kernel
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

MORE_NODES, MORE_EDGES = 1, 2  # what one mutation can add
TOPOLOGY_WORDS = 12


class Odds(NamedTuple):
    """`cppn.variation.Rates` as the kernel takes them; `choices` are numbers of activation functions."""

    weight_rate: float
    weight_eta: float
    activation_rate: float
    add_edge: float
    delete_edge: float
    add_node: float
    delete_node: float
    weight_range: float
    choices: NDArray[np.uint8]


@inline
def redraw_activations(genotype: Genotype, odds: Odds, words: NDArray[np.uint32]) -> None:
    """Each node's activation, with probability `activation_rate`: any of the set, the old one too."""
    for i in range(genotype.counts[0]):
        if unit(words[2 * i]) < odds.activation_rate:
            genotype.activations[i] = odds.choices[below(words[2 * i + 1], len(odds.choices))]


@inline
def add_edge(genotype: Genotype, odds: Odds, words: NDArray[np.uint32], marked: NDArray[np.bool_]) -> None:
    """From an input or hidden node to an output or hidden node that is neither it nor an ancestor of it.
    A second edge between the same two nodes is allowed. An output is always there to be a target."""
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
                weight = odds.weight_range * (2.0 * unit(words[2]) - 1.0)
                append_edge(genotype, source, node, np.float32(weight))
                return
            rank -= 1


@inline
def add_node(genotype: Genotype, odds: Odds, words: NDArray[np.uint32]) -> None:
    """A hidden node in place of any edge. Both new edges get the old one's weight (not 1 and the weight)."""
    edge = below(words[0], genotype.counts[1])
    source, target = np.int64(genotype.sources[edge]), np.int64(genotype.targets[edge])
    weight = genotype.weights[edge]
    remove_edge(genotype, edge)
    node = append_node(genotype, odds.choices[below(words[1], len(odds.choices))])
    append_edge(genotype, source, node, weight)
    append_edge(genotype, node, target, weight)


@inline
def change_topology(
    genotype: Genotype, odds: Odds, words: NDArray[np.uint32], marked: NDArray[np.bool_]
) -> None:
    """The four edits of the graph; where there is nothing to edit, nothing happens. What a deletion leaves
    unconnected stays so.

    Args:
        words: (TOPOLOGY_WORDS,) uint32; each edit has its own, whether it happens or not.
    """
    if unit(words[0]) < odds.add_edge:
        add_edge(genotype, odds, words[1:4], marked)
    if unit(words[4]) < odds.delete_edge and genotype.counts[1] > 0:
        remove_edge(genotype, below(words[5], genotype.counts[1]))
    if unit(words[6]) < odds.add_node and genotype.counts[1] > 0:
        add_node(genotype, odds, words[7:9])
    hidden = genotype.counts[0] - genotype.outputs
    if unit(words[9]) < odds.delete_node and hidden > 0:
        remove_node(genotype, INPUTS + genotype.outputs + below(words[10], hidden))


@inline
def copy_parent(
    outputs: int, parents: Packed, row: int, counts: NDArray[np.int64], out: Packed, node: int, edge: int
) -> Genotype:
    """A copy of a parent, in `out` from `node` and `edge` on, with room for what mutation can add."""
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
    odds: Odds,
    seed: np.uint64,
    generation: int,
    lane: int,
    children: NDArray[np.uint32],
    out: Packed,
) -> None:
    """Mutate N genotypes into packed arrays.

    Args:
        parents: N genotypes.
        children: (N,) uint32, the children's numbers.
        out: what is written: offsets of N + 1; node arrays with room for MORE_NODES more per genotype,
            edge arrays for MORE_EDGES.
    """
    largest = 0
    for row in range(len(children)):
        largest = max(largest, parents.node_offsets[row + 1] - parents.node_offsets[row])
    tile, counts = new_tile(), np.empty(2, np.int64)
    words = np.empty(TOPOLOGY_WORDS + 2 * largest + 3, np.uint32)
    marked = np.empty(INPUTS + largest, np.bool_)
    limit = odds.weight_range
    node, edge = 0, 0  # where the next child goes
    out.node_offsets[0] = out.edge_offsets[0] = 0
    for row in range(len(children)):
        child = copy_parent(outputs, parents, row, counts, out, node, edge)
        key = child_key(seed, generation, lane, children[row])
        weights = child.weights[: counts[1]]
        block = mutate_values(weights, -limit, limit, odds.weight_rate, odds.weight_eta, key, tile)
        drawn = words[: (TOPOLOGY_WORDS + 2 * counts[0] + 3) // 4 * 4]
        words_into(key, block, drawn)
        redraw_activations(child, odds, drawn[TOPOLOGY_WORDS:])
        change_topology(child, odds, drawn[:TOPOLOGY_WORDS], marked)
        node, edge = node + counts[0], edge + counts[1]
        out.node_offsets[row + 1], out.edge_offsets[row + 1] = node, edge
