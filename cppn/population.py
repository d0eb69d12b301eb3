"""A population of CPPN genotypes, packed into flat arrays with offsets, without padding and without an object
for each.

Each genotype numbers its own nodes: first the inputs, then the outputs, then the hidden nodes in the order in
which they were added. Inputs have no data, so the node arrays begin with the outputs. Edges keep the order in
which they were added; several edges between the same two nodes are allowed and add up, as in the authors'
code. Every genotype is acyclic, and no edge leaves an output or enters an input.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cppn.jit import kernel, readonly

Rows = NDArray[np.int64]
INPUTS = 4  # x, y, the distance from the centre and the bias, in this order (Nguyen 2015, released code)


class Packed(NamedTuple):
    """The arrays of a `Population` as kernels take them. All kernels take this one class: numba spends 100
    microseconds on each call where two functions take tuples of different classes."""

    node_offsets: NDArray[np.int64]
    edge_offsets: NDArray[np.int64]
    activations: NDArray[np.uint8]
    sources: NDArray[np.int32]
    targets: NDArray[np.int32]
    weights: NDArray[np.float32]


@dataclass(frozen=True)
class Population:
    """N genotypes as a struct of arrays.

    Attributes:
        outputs: the number of output nodes of each genotype: 1 (grey) or 3 (colour).
        node_offsets: (N + 1,) int64; genotype i has activations[node_offsets[i] : node_offsets[i + 1]].
        edge_offsets: (N + 1,) int64, likewise for the edge arrays.
        activations: (nodes,) uint8, the activation function of each output and hidden node, as a number of
            `cppn.activations`.
        sources, targets: (edges,) int32, the local numbers of the nodes that an edge connects.
        weights: (edges,) float32.
    """

    outputs: int
    node_offsets: NDArray[np.int64]
    edge_offsets: NDArray[np.int64]
    activations: NDArray[np.uint8]
    sources: NDArray[np.int32]
    targets: NDArray[np.int32]
    weights: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.node_offsets) - 1

    @property
    def nodes(self) -> NDArray[np.int64]:
        """(N,) int64, the number of output and hidden nodes of each genotype."""
        return np.diff(self.node_offsets)

    @property
    def edges(self) -> NDArray[np.int64]:
        """(N,) int64, the number of edges of each genotype."""
        return np.diff(self.edge_offsets)

    def take(self, rows: ArrayLike) -> Population:
        """A new population of the genotypes at `rows`, in that order; rows may repeat."""
        chosen = np.asarray(rows, np.int64).reshape(-1)
        if not len(chosen):
            return empty(self.outputs)
        try:
            return Population(self.outputs, *_gather(self.packed(), readonly(chosen)))
        except IndexError:
            raise IndexError(
                f"expected rows from 0 to {len(self) - 1}, found {chosen.min()} to {chosen.max()}"
            ) from None

    def put(self, rows: ArrayLike, *others: tuple[Population, ArrayLike]) -> Population:
        """A new population: this one with genotypes of others at `rows`, which may also be new rows at its
        end.

        Args:
            others: pairs of a population and the rows of its genotypes that are put there, one after the
                other.

        Raises:
            ValueError: there is not one row per genotype, or new rows leave a gap.
        """
        rows, chosen = np.asarray(rows, np.int64), [other.take(which) for other, which in others]
        origin = np.arange(length_after(len(self), rows, sum(map(len, chosen))))
        origin[rows] = len(self) + np.arange(len(rows))
        return concatenate([self, *chosen]).take(origin)

    def lent(self, loan: object) -> Population:
        """This population, which nobody changes."""
        return self

    def packed(self) -> Packed:
        """The arrays for kernels: read-only views."""
        return Packed._make(readonly(getattr(self, name)) for name in Packed._fields)

    def arrays(self) -> dict[str, NDArray]:
        """The arrays by name, as they are saved in files."""
        return {
            "outputs": np.array([self.outputs], np.int64),
            "node_offsets": self.node_offsets,
            "edge_offsets": self.edge_offsets,
            "activations": self.activations,
            "sources": self.sources,
            "targets": self.targets,
            "weights": self.weights,
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray]) -> Population:
        """The inverse of `arrays`."""
        fields = {name: value for name, value in arrays.items() if name != "outputs"}
        return cls(int(arrays["outputs"][0]), **fields)

    def canonical_bytes(self, row: int) -> bytes:
        """The one form of a genotype in bytes, little-endian: the numbers of outputs, nodes and edges
        (int32), then activations (uint8), sources and targets (int32), and weights (float32)."""
        nodes = slice(self.node_offsets[row], self.node_offsets[row + 1])
        edges = slice(self.edge_offsets[row], self.edge_offsets[row + 1])
        head = np.array([self.outputs, nodes.stop - nodes.start, edges.stop - edges.start], "<i4")
        return b"".join(
            [
                head.tobytes(),
                self.activations[nodes].tobytes(),
                self.sources[edges].astype("<i4", copy=False).tobytes(),
                self.targets[edges].astype("<i4", copy=False).tobytes(),
                self.weights[edges].astype("<f4", copy=False).tobytes(),
            ]
        )


def concatenate(parts: Sequence[Population]) -> Population:
    """One population of the genotypes of all parts, in order.

    Raises:
        ValueError: there is no part, or their numbers of outputs differ.
    """
    if len({part.outputs for part in parts}) != 1:
        raise ValueError(f"expected parts with one number of outputs, found {[p.outputs for p in parts]}")
    return Population(
        parts[0].outputs,
        _join_offsets([part.node_offsets for part in parts]),
        _join_offsets([part.edge_offsets for part in parts]),
        np.concatenate([part.activations for part in parts]),
        np.concatenate([part.sources for part in parts]),
        np.concatenate([part.targets for part in parts]),
        np.concatenate([part.weights for part in parts]),
    )


def length_after(length: int, rows: Rows, count: int) -> int:
    """The length of a population of `length` genotypes after `count` genotypes were put at `rows`.

    Raises:
        ValueError: there is not one row per genotype, or new rows leave a gap.
    """
    if len(rows) != count:
        raise ValueError(f"expected a row per genotype: {count}, found {len(rows)}")
    new = max(length, int(rows.max(initial=-1)) + 1)
    if len(np.unique(rows[rows >= length])) != new - length:
        raise ValueError(f"expected new rows without a gap, from {length} on; found {rows[rows >= length]}")
    return new


def empty(outputs: int) -> Population:
    """A population without genotypes."""
    none = np.zeros(1, np.int64)
    indices = np.zeros(0, np.int32)
    return Population(outputs, none, none, np.zeros(0, np.uint8), indices, indices, np.zeros(0, np.float32))


@kernel
def _gather(packed: Packed, rows: Rows) -> Packed:
    """New arrays with the genotypes at `rows`.

    Raises:
        IndexError: a row does not exist.
    """
    nodes, edges = 0, 0
    for row in rows:
        if row < 0 or row >= len(packed.node_offsets) - 1:
            raise IndexError
        nodes += packed.node_offsets[row + 1] - packed.node_offsets[row]
        edges += packed.edge_offsets[row + 1] - packed.edge_offsets[row]
    out = Packed(
        np.empty(len(rows) + 1, np.int64),
        np.empty(len(rows) + 1, np.int64),
        np.empty(nodes, np.uint8),
        np.empty(edges, np.int32),
        np.empty(edges, np.int32),
        np.empty(edges, np.float32),
    )
    node, edge = 0, 0  # the indices where the next genotype begins
    out.node_offsets[0] = out.edge_offsets[0] = 0
    for i in range(len(rows)):
        row = rows[i]
        for j in range(packed.node_offsets[row], packed.node_offsets[row + 1]):
            out.activations[node] = packed.activations[j]
            node += 1
        for j in range(packed.edge_offsets[row], packed.edge_offsets[row + 1]):
            out.sources[edge] = packed.sources[j]
            out.targets[edge] = packed.targets[j]
            out.weights[edge] = packed.weights[j]
            edge += 1
        out.node_offsets[i + 1], out.edge_offsets[i + 1] = node, edge
    return out


def _join_offsets(parts: Sequence[Rows]) -> Rows:
    lengths = np.concatenate([np.diff(part) for part in parts])
    return np.concatenate([[0], np.cumsum(lengths)])
