"""Compiling genotypes to programs: which nodes to evaluate, and in which order.

A node is live where it reaches an output; other nodes are left out. A node is constant where it has the same
value at every pixel, because it depends on the bias alone or on nothing. Constant nodes are evaluated here,
once: in random networks with ten hidden nodes, every fourth live node is constant.

The potential of a node is a float32 sum that starts from +0, first over the constant sources, then over the
others, both in the order of the genotype's edges.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cppn.jit import jitable
from cppn.population import INPUTS, Packed
from cppn.rendering.nodes import activate

PIXEL_INPUTS = 3  # x, y and the distance: the inputs that differ from pixel to pixel
_BIAS = 3
_UNSEEN, _CONSTANT = -2, -1  # what `Scratch.slots` says of nodes without a slot


class Programs(NamedTuple):
    """The programs of N genotypes, packed like a population.

    A step evaluates one live node that is not constant. Values that differ from pixel to pixel are kept in
    slots: the inputs x, y and d in slots 0 to 2, the result of a genotype's k-th step in slot PIXEL_INPUTS +
    k. Every step has an even number of edges and at least two: edges of weight 0 are added, which change no
    bit of a sum that starts from +0.

    Attributes:
        steps: (N + 1,) int64; genotype g has the steps steps[g] : steps[g + 1].
        results: (N * outputs,) int64, the slot of each output.
        functions: (nodes,) int64, the activation function of each step.
        starts: (nodes,) float32, the sum over the constant sources of each step.
        edges: (nodes + 1,) int64; step k has the edges edges[k] : edges[k + 1].
        slots: (edges + 2 nodes,) int64, the slot that each edge comes from.
        weights: (edges + 2 nodes,) float32, the weight of each edge.
    """

    steps: NDArray[np.int64]
    results: NDArray[np.int64]
    functions: NDArray[np.int64]
    starts: NDArray[np.float32]
    edges: NDArray[np.int64]
    slots: NDArray[np.int64]
    weights: NDArray[np.float32]


class Scratch(NamedTuple):
    """The arrays that compiling one genotype needs.

    Attributes:
        first: (nodes + 2,) int64; the edges into node n are incoming[first[n] : first[n + 1]].
        incoming: (edges,) int64, the edges by target, those of one target in the genotype's order.
        cursor: (nodes,) int64, the next edge of each node to walk along.
        stack: (nodes,) int64, the nodes on the path from an output to where the walk is.
        order: (nodes,) int64, the live nodes, every source before its targets.
        slots: (nodes,) int64, the slot of each node, or _CONSTANT, or _UNSEEN.
        values: (nodes,) float32, the values of constant nodes.
    """

    first: NDArray[np.int64]
    incoming: NDArray[np.int64]
    cursor: NDArray[np.int64]
    stack: NDArray[np.int64]
    order: NDArray[np.int64]
    slots: NDArray[np.int64]
    values: NDArray[np.float32]


@jitable
def compile_population(genotypes: Packed, outputs: int) -> Programs:
    """The programs of all genotypes, each of which has `outputs` outputs."""
    count = len(genotypes.node_offsets) - 1
    programs = _new_programs(count, count * outputs, len(genotypes.activations), len(genotypes.sources))
    scratch = _new_scratch(INPUTS + longest(genotypes.node_offsets), longest(genotypes.edge_offsets))
    for g in range(count):
        _group_by_target(g, genotypes, scratch)
        live = _walk_back(outputs, genotypes, scratch)
        _write(g, live, outputs, genotypes, programs, scratch)
    return programs


@jitable
def longest(offsets: NDArray[np.int64]) -> int:
    """The longest of the runs that (N + 1,) offsets cut an array into; 0 where there are none."""
    length = 0
    for g in range(len(offsets) - 1):
        length = max(length, offsets[g + 1] - offsets[g])
    return length


@jitable
def _int64(length: int) -> NDArray[np.int64]:
    return np.empty(length, np.int64)


@jitable
def _float32(length: int) -> NDArray[np.float32]:
    return np.empty(length, np.float32)


@jitable
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


@jitable
def _new_scratch(nodes: int, edges: int) -> Scratch:
    return Scratch(
        _int64(nodes + 2),
        _int64(edges),
        _int64(nodes),
        _int64(nodes),
        _int64(nodes),
        _int64(nodes),
        _float32(nodes),
    )


@jitable
def _group_by_target(g: int, genotypes: Packed, scratch: Scratch) -> None:
    """Prepare the scratch arrays for genotype `g`: its edges are sorted by target, by counting."""
    first, targets = scratch.first, genotypes.targets
    begin, end = genotypes.edge_offsets[g], genotypes.edge_offsets[g + 1]
    nodes = INPUTS + genotypes.node_offsets[g + 1] - genotypes.node_offsets[g]
    for node in range(nodes + 2):
        first[node] = 0
    for edge in range(begin, end):
        first[targets[edge] + 2] += 1
    for node in range(nodes):
        first[node + 2] += first[node + 1]
        scratch.cursor[node] = first[node + 1]
        scratch.slots[node] = node if node < PIXEL_INPUTS else _UNSEEN
    for edge in range(begin, end):
        # first[target + 1] counts up from where the target's edges begin to where the next one's do.
        scratch.incoming[first[targets[edge] + 1]] = edge
        first[targets[edge] + 1] += 1
    scratch.slots[_BIAS] = _CONSTANT
    scratch.values[_BIAS] = 1.0


@jitable
def _walk_back(outputs: int, genotypes: Packed, scratch: Scratch) -> int:
    """List the live nodes in `scratch.order`: a depth-first walk from the outputs along the edges, backwards,
    lists each node when it leaves the node for good. Returns the number of live nodes."""
    first, cursor, stack = scratch.first, scratch.cursor, scratch.stack
    live = 0
    for output in range(INPUTS, INPUTS + outputs):
        stack[0] = output
        top = 0
        while top >= 0:
            node = stack[top]
            if cursor[node] == first[node + 1]:
                scratch.order[live] = node
                live += 1
                top -= 1
            else:
                source = genotypes.sources[scratch.incoming[cursor[node]]]
                cursor[node] += 1
                if scratch.slots[source] == _UNSEEN:
                    scratch.slots[source] = _CONSTANT  # until `_write` gives the node a slot
                    top += 1
                    stack[top] = source
    return live


@jitable
def _write(g: int, live: int, outputs: int, genotypes: Packed, programs: Programs, scratch: Scratch) -> None:
    """Write the program of genotype `g`, whose `live` live nodes `_walk_back` has listed."""
    step = programs.steps[g]
    for k in range(live):
        node = scratch.order[k]
        function = np.int64(genotypes.activations[genotypes.node_offsets[g] + node - INPUTS])
        start, end = _write_edges(node, programs.edges[step], genotypes, programs, scratch)
        if end == programs.edges[step] and node >= INPUTS + outputs:
            scratch.values[node] = start
            activate(function, scratch.values[node : node + 1], 1)
            continue
        programs.functions[step] = function
        programs.starts[step] = start
        scratch.slots[node] = PIXEL_INPUTS + step - programs.steps[g]
        step += 1
        programs.edges[step] = _fill_up(programs.edges[step - 1], end, programs)
    programs.steps[g + 1] = step
    for k in range(outputs):
        programs.results[g * outputs + k] = scratch.slots[INPUTS + k]


@jitable
def _write_edges(
    node: int, end: int, genotypes: Packed, programs: Programs, scratch: Scratch
) -> tuple[np.float32, int]:
    """Write the edges into a node from index `end` on. Returns the sum over constant sources, and the new
    end."""
    start = np.float32(0)
    for k in range(scratch.first[node], scratch.first[node + 1]):
        edge = scratch.incoming[k]
        source, weight = genotypes.sources[edge], genotypes.weights[edge]
        if scratch.slots[source] == _CONSTANT:
            start += weight * scratch.values[source]
        else:
            programs.slots[end] = scratch.slots[source]
            programs.weights[end] = weight
            end += 1
    return start, end


@jitable
def _fill_up(begin: int, end: int, programs: Programs) -> int:
    """Add edges of weight 0 until their number is even and not 0. Returns the new end."""
    while end == begin or (end - begin) % 2:
        programs.slots[end] = 0
        programs.weights[end] = 0.0
        end += 1
    return end
