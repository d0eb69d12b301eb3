"""A genotype as a document: lists of nodes and edges, as JSON has them. Weights are float32 numbers, which JSON's decimal
numbers give back exactly.

Nodes keep the numbers that they have in `cppn.population`: the inputs 0 to 3, then the outputs, then the hidden nodes.
Edges keep their order, on which the last bits of a sum depend.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import numpy as np

from cppn.activations import LINEAR, NAMES
from cppn.population import INPUTS, Population

INPUT_NAMES = ("x", "y", "distance", "bias")
OUTPUT_NAMES = {
    "grey": ("grey",),
    "rgb": ("red", "green", "blue"),
    "hls": ("hue", "lightness", "saturation"),
    "hsv": ("hue", "saturation", "value"),
}
_IDENTITY = np.float32(3)  # the "linear" function of 3 x is x, limited to [-1, 1]


class Node(NamedTuple):
    """A node.

    Attributes:
        id: its number.
        kind: what it is.
        name: of an input or an output; "" of a hidden node.
        activation: the name of its function; None of an input.
    """

    id: int
    kind: Literal["input", "output", "hidden"]
    name: str
    activation: str | None


class Edge(NamedTuple):
    """An edge between two nodes, by their numbers."""

    source: int
    target: int
    weight: float


def nodes_of(population: Population, row: int, colour: str) -> list[Node]:
    """The nodes of a genotype, by their numbers.

    Args:
        colour: what its outputs mean.
    """
    functions = population.activations[population.node_offsets[row] : population.node_offsets[row + 1]]
    inputs = [Node(number, "input", name, None) for number, name in enumerate(INPUT_NAMES)]
    names, outputs = OUTPUT_NAMES[colour], population.outputs
    return inputs + [
        Node(
            INPUTS + place,
            "output" if place < outputs else "hidden",
            names[place] if place < outputs else "",
            NAMES[function],
        )
        for place, function in enumerate(functions.tolist())
    ]


def edges_of(population: Population, row: int) -> list[Edge]:
    """The edges of a genotype, in its order."""
    edges = slice(population.edge_offsets[row], population.edge_offsets[row + 1])
    columns = (population.sources[edges], population.targets[edges], population.weights[edges])
    return [Edge(*each) for each in zip(*(column.tolist() for column in columns), strict=True)]


def reweighted(population: Population, row: int, weights: dict[int, float]) -> Population:
    """One genotype with other weights.

    Args:
        weights: the new weight of an edge, by its place in the genotype's order.

    Raises:
        ValueError: there is no such edge, or a weight that float32 does not hold.
    """
    found = population.take([row])
    changed = found.weights.copy()
    for place, weight in weights.items():
        if not 0 <= place < len(changed):
            raise ValueError(f"expected edges 0 to {len(changed) - 1}, found {place}")
        with np.errstate(over="ignore"):
            changed[place] = weight
        if not np.isfinite(changed[place]):
            raise ValueError(f"edge {place}: expected a finite float32, found {weight!r}")
    return Population.from_arrays({**found.arrays(), "weights": changed})


def node_images(population: Population, row: int) -> Population:
    """A genotype of one output for each node of a genotype, inputs included, in the order of their numbers: drawn in
    grey, it shows what the node puts out."""
    arrays: dict[str, Any] = population.take([row]).arrays()
    nodes = INPUTS + len(arrays["activations"])
    parts = [_shown(arrays, node) for node in range(nodes)]
    return Population(
        1,
        np.cumsum([0, *(len(part[0]) for part in parts)]),
        np.cumsum([0, *(len(part[1]) for part in parts)]),
        *(np.concatenate(column) for column in zip(*parts, strict=True)),
    )


def _shown(arrays: dict[str, Any], node: int) -> tuple[Any, Any, Any, Any]:
    """Activations, sources, targets and weights of the genotype that shows a node: the node becomes the output, the
    outputs of the genotype hidden nodes like any other."""
    functions, sources, targets = arrays["activations"], arrays["sources"], arrays["targets"]
    if node < INPUTS:
        edge = np.array([node], np.int32), np.array([INPUTS], np.int32), np.array([_IDENTITY])
        return np.array([LINEAR], np.uint8), *edge
    inner = sources != node  # what the node feeds does not matter to it, and no edge leaves an output
    numbers = np.arange(INPUTS + len(functions), dtype=np.int32)
    numbers[INPUTS:node] += 1
    numbers[node] = INPUTS
    order = np.argsort(numbers[INPUTS:])
    return functions[order], numbers[sources[inner]], numbers[targets[inner]], arrays["weights"][inner]
