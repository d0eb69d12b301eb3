"""From genotypes to programs: which nodes to evaluate, in which order.

Nodes that reach no output are left out. Nodes that no pixel changes (fed by the bias alone, or by nothing)
are evaluated here, once: of random networks with ten hidden nodes that is every fourth live node.

A node's potential is a float32 sum, from +0: first over the sources that no pixel changes, then over the
others, both in the order of the genotype's edges.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cppn.jit import everywhere
from cppn.population import INPUTS, Packed
from cppn.rendering.nodes import activate

PIXEL_INPUTS = 3  # x, y and the distance: the inputs that differ from pixel to pixel
_BIAS = 3
_UNSEEN, _CONSTANT = -2, -1


class Programs(NamedTuple):
    """The programs of N genotypes, packed as populations are.

    What pixels change is kept in slots: the inputs x, y, d in 0 to 2, the result of a genotype's k-th step in
    PIXEL_INPUTS + k. A step's number of edges is even and not 0, because edges of weight 0 fill it up: they
    change no bit of a sum that starts from +0.

    Attributes:
        steps: (N + 1,) int64; the steps of genotype g are steps[g] : steps[g + 1].
        results: (N * outputs,) int64, the slots of the outputs.
        functions: (nodes,) int64, each step's activation function.
        starts: (nodes,) float32, each step's sum over sources that no pixel changes.
        edges: (nodes + 1,) int64; the edges of step k are edges[k] : edges[k + 1].
        slots: (edges + 2 nodes,) int64, where each edge comes from.
        weights: (edges + 2 nodes,) float32.
    """

    steps: NDArray[np.int64]
    results: NDArray[np.int64]
    functions: NDArray[np.int64]
    starts: NDArray[np.float32]
    edges: NDArray[np.int64]
    slots: NDArray[np.int64]
    weights: NDArray[np.float32]


class Notes(NamedTuple):
    """What is known of one genotype while it is compiled.

    Attributes:
        first: (nodes + 2,) int64; the edges into node n are incoming[first[n] : first[n + 1]].
        incoming: (edges,) int64, the edges by target, each target's in the genotype's order.
        cursor: (nodes,) int64, the next of a node's edges to walk.
        stack: (nodes,) int64, the nodes from an output to where the walk is.
        order: (nodes,) int64, the live nodes, every source before its targets.
        slots: (nodes,) int64, a node's slot, or _CONSTANT, or _UNSEEN.
        values: (nodes,) float32, the values of constant nodes.
    """

    first: NDArray[np.int64]
    incoming: NDArray[np.int64]
    cursor: NDArray[np.int64]
    stack: NDArray[np.int64]
    order: NDArray[np.int64]
    slots: NDArray[np.int64]
    values: NDArray[np.float32]


@everywhere
def compile_population(genotypes: Packed, outputs: int) -> Programs:
    """The programs of all genotypes, with so many outputs each."""
    count = len(genotypes.node_offsets) - 1
    programs = _new_programs(count, count * outputs, len(genotypes.activations), len(genotypes.sources))
    notes = _new_notes(INPUTS + longest(genotypes.node_offsets), longest(genotypes.edge_offsets))
    for g in range(count):
        _group_by_target(g, genotypes, notes)
        live = _walk_back(outputs, genotypes, notes)
        _write(g, live, outputs, genotypes, programs, notes)
    return programs


@everywhere
def longest(offsets: NDArray[np.int64]) -> int:
    """The length of the longest share."""
    length = 0
    for g in range(len(offsets) - 1):
        length = max(length, offsets[g + 1] - offsets[g])
    return length


@everywhere
def _int64(length: int) -> NDArray[np.int64]:
    return np.empty(length, np.int64)


@everywhere
def _float32(length: int) -> NDArray[np.float32]:
    return np.empty(length, np.float32)


@everywhere
def _new_programs(count: int, results: int, nodes: int, edges: int) -> Programs:
    programs = Programs(
        _int64(count + 1),
        _int64(results),
        _int64(nodes),
        _float32(nodes),
        _int64(nodes + 1),
        _int64(edges + 2 * nodes),
        _float32(edges + 2 * nodes),
    )
    programs.steps[0] = programs.edges[0] = 0
    return programs


@everywhere
def _new_notes(nodes: int, edges: int) -> Notes:
    return Notes(
        _int64(nodes + 2),
        _int64(edges),
        _int64(nodes),
        _int64(nodes),
        _int64(nodes),
        _int64(nodes),
        _float32(nodes),
    )


@everywhere
def _group_by_target(g: int, genotypes: Packed, notes: Notes) -> None:
    """Start the notes on genotype `g`: a counting sort of its edges."""
    first, targets = notes.first, genotypes.targets
    begin, end = genotypes.edge_offsets[g], genotypes.edge_offsets[g + 1]
    nodes = INPUTS + genotypes.node_offsets[g + 1] - genotypes.node_offsets[g]
    for node in range(nodes + 2):
        first[node] = 0
    for edge in range(begin, end):
        first[targets[edge] + 2] += 1
    for node in range(nodes):
        first[node + 2] += first[node + 1]
        notes.cursor[node] = first[node + 1]
        notes.slots[node] = node if node < PIXEL_INPUTS else _UNSEEN
    for edge in range(begin, end):
        # first[target + 1] counts up from where the target's edges begin to where the next one's do.
        notes.incoming[first[targets[edge] + 1]] = edge
        first[targets[edge] + 1] += 1
    notes.slots[_BIAS] = _CONSTANT
    notes.values[_BIAS] = 1.0


@everywhere
def _walk_back(outputs: int, genotypes: Packed, notes: Notes) -> int:
    """Walk from the outputs to what feeds them, depth first, and list each node as the walk leaves it for
    good. Returns the number of nodes."""
    first, cursor, stack = notes.first, notes.cursor, notes.stack
    live = 0
    for output in range(INPUTS, INPUTS + outputs):
        stack[0] = output
        top = 0
        while top >= 0:
            node = stack[top]
            if cursor[node] == first[node + 1]:
                notes.order[live] = node
                live += 1
                top -= 1
            else:
                source = genotypes.sources[notes.incoming[cursor[node]]]
                cursor[node] += 1
                if notes.slots[source] == _UNSEEN:
                    notes.slots[source] = _CONSTANT  # until `_write` knows better
                    top += 1
                    stack[top] = source
    return live


@everywhere
def _write(g: int, live: int, outputs: int, genotypes: Packed, programs: Programs, notes: Notes) -> None:
    """Write the program of genotype `g`, whose live nodes are in order."""
    step = programs.steps[g]
    for k in range(live):
        node = notes.order[k]
        function = np.int64(genotypes.activations[genotypes.node_offsets[g] + node - INPUTS])
        start, end = _write_edges(node, programs.edges[step], genotypes, programs, notes)
        if end == programs.edges[step] and node >= INPUTS + outputs:
            notes.values[node] = start
            activate(function, notes.values[node : node + 1], 1)
            continue
        programs.functions[step] = function
        programs.starts[step] = start
        notes.slots[node] = PIXEL_INPUTS + step - programs.steps[g]
        step += 1
        programs.edges[step] = _fill_up(programs.edges[step - 1], end, programs)
    programs.steps[g + 1] = step
    for k in range(outputs):
        programs.results[g * outputs + k] = notes.slots[INPUTS + k]


@everywhere
def _write_edges(
    node: int, end: int, genotypes: Packed, programs: Programs, notes: Notes
) -> tuple[np.float32, int]:
    """Write the edges into a node from `end` on. Returns the sum over constant sources, and the new end."""
    start = np.float32(0)
    for k in range(notes.first[node], notes.first[node + 1]):
        edge = notes.incoming[k]
        source, weight = genotypes.sources[edge], genotypes.weights[edge]
        if notes.slots[source] == _CONSTANT:
            start += weight * notes.values[source]
        else:
            programs.slots[end] = notes.slots[source]
            programs.weights[end] = weight
            end += 1
    return start, end


@everywhere
def _fill_up(begin: int, end: int, programs: Programs) -> int:
    """Make the number of edges even and not 0. Returns the new end."""
    while end == begin or (end - begin) % 2:
        programs.slots[end] = 0
        programs.weights[end] = 0.0
        end += 1
    return end
