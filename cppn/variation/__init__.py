"""Making and mutating populations of CPPNs (Nguyen 2015, section 2). There is no crossover: in the released
code, crossover copies the parents.

A child depends on its parent, its key and the rates, and on nothing else in the batch.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from cppn import activations
from cppn.jit import readonly
from cppn.keys import INITIALISE, MUTATE, Keys
from cppn.population import INPUTS, Packed, Population
from cppn.variation.mutation import MORE_EDGES, MORE_NODES, PackedRates, mutate_all
from cppn.variation.validity import check

__all__ = ["Rates", "check", "initialise", "mutate"]

_PROBABILITIES = ("weight_rate", "activation_rate", "add_edge", "delete_edge", "add_node", "delete_node")


@dataclass(frozen=True)
class Rates:
    """How CPPNs vary; the defaults are the paper's.

    Attributes:
        weight_rate: the probability that the weight of an edge mutates.
        weight_eta: the distribution index of the polynomial mutation; the higher it is, the smaller the
            steps.
        activation_rate: the probability that the activation function of a node is drawn again.
        add_edge, delete_edge, add_node, delete_node: the probability of each edit, per child.
        weight_range: weights lie in [-weight_range, weight_range].
        activations: names of the functions to draw from, each equally likely.

    Raises:
        ValueError: a value out of range, or an unknown function.
    """

    weight_rate: float = 0.1
    weight_eta: float = 15.0
    activation_rate: float = 0.1
    add_edge: float = 0.5
    delete_edge: float = 0.3
    add_node: float = 0.5
    delete_node: float = 0.2
    weight_range: float = 10.0
    activations: tuple[str, ...] = activations.PAPER

    def __post_init__(self) -> None:
        for name in _PROBABILITIES:
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise ValueError(f"{name}: expected a probability, found {getattr(self, name)}")
        if not self.weight_eta >= 0.0:
            raise ValueError(f"weight_eta: expected 0 or more, found {self.weight_eta}")
        if not 0.0 < self.weight_range < np.inf:
            raise ValueError(f"weight_range: expected a positive number, found {self.weight_range}")
        unknown = [name for name in self.activations if name not in activations.NAMES]
        if unknown or not self.activations:
            raise ValueError(f"activations: expected some of {activations.NAMES}, found {self.activations}")


def initialise(keys: Keys, outputs: int, rates: Rates) -> Population:
    """One random CPPN per key, without hidden nodes: every input is connected to every output.

    Args:
        outputs: 1 (grey) or 3 (colour).
    """
    count, edges = len(keys), INPUTS * outputs
    draws = keys.uniform(INITIALISE, edges + outputs)
    choices = activations.numbers(rates.activations)
    chosen = (draws[:, edges:] * len(choices)).astype(np.int64)
    return Population(
        outputs,
        outputs * np.arange(count + 1, dtype=np.int64),
        edges * np.arange(count + 1, dtype=np.int64),
        choices[chosen].ravel(),
        np.tile(np.arange(INPUTS, dtype=np.int32), outputs * count),
        np.tile(np.repeat(np.arange(INPUTS, INPUTS + outputs, dtype=np.int32), INPUTS), count),
        (rates.weight_range * (2.0 * draws[:, :edges] - 1.0)).astype(np.float32).ravel(),
    )


def mutate(population: Population, keys: Keys, rates: Rates) -> Population:
    """A mutated child of each genotype, as a new population; `cppn.variation.mutation` has the edits.

    Raises:
        ValueError: there is not one key per genotype.
    """
    if len(keys) != len(population):
        raise ValueError(f"expected a key per genotype: {len(population)}, found {len(keys)}")
    out = _room_for(population)
    mutate_all(population.outputs, population.packed(), _packed(rates), *keys.counters(MUTATE), out)
    nodes, edges = out.node_offsets[-1], out.edge_offsets[-1]
    return Population(
        population.outputs,
        out.node_offsets,
        out.edge_offsets,
        out.activations[:nodes],
        out.sources[:edges],
        out.targets[:edges],
        out.weights[:edges],
    )


def _room_for(population: Population) -> Packed:
    """Uninitialised arrays, large enough for the children of a population."""
    count = len(population)
    edges = len(population.sources) + MORE_EDGES * count
    return Packed(
        np.empty(count + 1, np.int64),
        np.empty(count + 1, np.int64),
        np.empty(len(population.activations) + MORE_NODES * count, np.uint8),
        np.empty(edges, np.int32),
        np.empty(edges, np.int32),
        np.empty(edges, np.float32),
    )


@lru_cache(maxsize=16)
def _packed(rates: Rates) -> PackedRates:
    numbers = [float(getattr(rates, name)) for name in PackedRates._fields[:-1]]
    return PackedRates._make([*numbers, readonly(activations.numbers(rates.activations))])
