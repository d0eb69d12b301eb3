"""Conversion of CPPN genotypes to and from neat-python's genomes, and a neat-python config for networks like
ours.

neat-python's own activation functions are scaled (its "sin" is sin(5z), its "gauss" is exp(-5z^2)), so the
config adds those of `cppn.activations` under other names: "cppn_sine" and so on. A neat-python genome numbers
its inputs -1 to -4, its outputs from 0 and its hidden nodes after them; a pair of nodes has at most one
connection.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable

import neat
import numpy as np

from cppn import activations
from cppn.population import INPUTS, Population
from cppn.variation import Rates, check

_PREFIX = "cppn_"
_NAMES = tuple(_PREFIX + name for name in activations.NAMES)


def neat_config(outputs: int, population: int, rates: Rates | None = None) -> neat.Config:
    """A config for `neat.Population` and `neat.nn.FeedForwardNetwork`, without an .ini file.

    Genomes begin with every input connected to every output, without biases or responses, and vary as close
    to `rates` as neat-python can. What NEAT adds (speciation, crossover, stagnation) has neat-python's usual
    values, which the caller may change on the config. There is no fitness threshold, so `neat.Population.run`
    needs a number of generations. neat-python draws from the global `random`, which the caller should seed.

    Args:
        outputs: 1 (grey) or 3 (colour).
        population: how many genomes a generation has.
        rates: how genomes vary; `Rates()` if None.
    """
    config: neat.Config = object.__new__(neat.Config)  # its __init__ reads a file
    config.genome_type = neat.DefaultGenome
    config.species_set_type = neat.DefaultSpeciesSet
    config.stagnation_type = neat.DefaultStagnation
    config.reproduction_type = neat.DefaultReproduction
    config.config_information = None
    config.pop_size = population
    config.fitness_criterion = "max"
    config.fitness_threshold = math.inf
    config.no_fitness_termination = True
    config.reset_on_extinction = True
    config.seed = None
    config.genome_config = neat.DefaultGenome.parse_config(_genome_settings(outputs, rates or Rates()))
    for number, name in enumerate(_NAMES):
        config.genome_config.add_activation(name, _scalar(name, activations.FORMULAS[number]))
    config.species_set_config = neat.DefaultSpeciesSet.parse_config({"compatibility_threshold": 3.0})
    config.stagnation_config = neat.DefaultStagnation.parse_config({"species_elitism": 2})
    config.reproduction_config = neat.DefaultReproduction.parse_config({"elitism": 1})
    return config


def _scalar(name: str, formula: Callable[..., np.ndarray]) -> Callable[[float], float]:
    def activation(z: float) -> float:
        with np.errstate(over="ignore"):
            return float(formula(np.float64(z)))

    activation.__name__ = name  # by which neat-python's own export names it
    return activation


def _genome_settings(outputs: int, rates: Rates) -> dict[str, object]:
    return {
        "num_inputs": INPUTS,
        "num_outputs": outputs,
        "num_hidden": 0,
        "feed_forward": "true",
        "initial_connection": "full_direct",
        "compatibility_disjoint_coefficient": 1.0,
        # Random weights differ by two thirds of their range: this makes a few species of 100 genomes.
        "compatibility_weight_coefficient": 3.0 / rates.weight_range,
        "conn_add_prob": rates.add_edge,
        "conn_delete_prob": rates.delete_edge,
        "node_add_prob": rates.add_node,
        "node_delete_prob": rates.delete_node,
        "activation_default": "random",
        "activation_options": " ".join(_PREFIX + name for name in rates.activations),
        "activation_mutate_rate": rates.activation_rate,
        "aggregation_default": "sum",
        "aggregation_options": "sum",
        "aggregation_mutate_rate": 0.0,
        "enabled_default": "true",
        "enabled_mutate_rate": 0.0,
        **_float_settings("bias", 0.0),
        **_float_settings("response", 1.0),
        **_weight_settings(rates),
    }


def _float_settings(name: str, value: float) -> dict[str, object]:
    """The settings of an attribute that never changes."""
    rates = dict.fromkeys(("init_stdev", "replace_rate", "mutate_rate", "mutate_power"), 0.0)
    fixed = {"init_mean": value, "min_value": value, "max_value": value, **rates}
    return {f"{name}_{key}": setting for key, setting in fixed.items()}


def _weight_settings(rates: Rates) -> dict[str, object]:
    limit, n = rates.weight_range, rates.weight_eta + 1.0
    return {
        "weight_init_type": "uniform",
        "weight_init_mean": 0.0,
        "weight_init_stdev": limit / 2.0,  # neat-python draws uniformly within two of these
        "weight_min_value": -limit,
        "weight_max_value": limit,
        "weight_replace_rate": 0.0,
        "weight_mutate_rate": rates.weight_rate,
        # The standard deviation of a polynomial mutation on a range of 2 * limit.
        "weight_mutate_power": 2.0 * limit * math.sqrt(2.0 / ((n + 1.0) * (n + 2.0))),
    }


def to_genomes(population: Population, config: neat.Config) -> list[neat.DefaultGenome]:
    """The genotypes as genomes, whose keys are their rows. Parallel edges become one connection with the sum
    of their weights.

    Innovation numbers come from the tracker of the config, which gets one if it has none: a connection
    between the same two nodes has the same number in all genomes, and nodes that are added later get higher
    numbers than these. To evolve the genomes further, set the same tracker on `neat.Population.reproduction`.
    """
    settings = config.genome_config
    if settings.innovation_tracker is None:
        settings.innovation_tracker = neat.InnovationTracker()
    genomes = [_to_genome(population, row, settings.innovation_tracker) for row in range(len(population))]
    used = next(settings.node_indexer) if settings.node_indexer else 0
    settings.node_indexer = itertools.count(max(used, int(population.nodes.max(initial=0))))
    return genomes


def _to_genome(population: Population, row: int, tracker: neat.InnovationTracker) -> neat.DefaultGenome:
    genome = neat.DefaultGenome(row)
    for key, number in enumerate(population.activations[_share(population.node_offsets, row)].tolist()):
        node = neat.DefaultNodeGene(key)
        node.bias, node.response, node.time_constant = 0.0, 1.0, 1.0
        node.activation, node.aggregation = _NAMES[number], "sum"
        genome.nodes[key] = node
    edges = _share(population.edge_offsets, row)
    ends = (population.sources[edges].tolist(), population.targets[edges].tolist())
    for source, target, weight in zip(*ends, population.weights[edges].tolist(), strict=True):
        pair = (_key(source), _key(target))
        if pair not in genome.connections:
            number = tracker.get_innovation_number(*pair)
            connection = neat.DefaultConnectionGene(pair, innovation=number)
            connection.weight, connection.enabled = 0.0, True
            genome.connections[pair] = connection
        genome.connections[pair].weight += weight
    return genome


def _share(offsets: np.ndarray, row: int) -> slice:
    return slice(offsets[row], offsets[row + 1])


def _key(node: int) -> int:
    """The number that neat-python gives to one of our nodes."""
    return -1 - node if node < INPUTS else node - INPUTS


def from_genomes(genomes: Iterable[neat.DefaultGenome], config: neat.Config) -> Population:
    """Genomes as genotypes. This is the inverse of `to_genomes`, except that parallel edges stay merged and
    weights are rounded to float32. Disabled connections are left out; hidden nodes come in the order of their
    keys.

    Raises:
        ValueError: a genome has what a genotype can't have: an activation function that `neat_config` does
        not add, a
            bias, a response, an aggregation other than the sum, or a cycle.
    """
    outputs = config.genome_config.num_outputs
    functions: list[int] = []
    edges: list[tuple[int, int, float]] = []
    node_offsets, edge_offsets = [0], [0]
    for genome in genomes:
        keys = sorted(genome.nodes)
        if keys[:outputs] != list(range(outputs)):
            raise ValueError(f"genome {genome.key}: expected output nodes 0 to {outputs - 1}, found {keys}")
        functions += [_function(genome.nodes[key], genome.key) for key in keys]
        numbers = {_key(node): node for node in range(INPUTS)}
        numbers.update(zip(keys, itertools.count(INPUTS), strict=False))
        for (source, target), connection in genome.connections.items():
            if connection.enabled:
                edges.append((numbers[source], numbers[target], connection.weight))
        node_offsets.append(len(functions))
        edge_offsets.append(len(edges))
    sources, targets, weights = zip(*edges, strict=True) if edges else ((), (), ())
    return check(
        Population(
            outputs,
            np.array(node_offsets, np.int64),
            np.array(edge_offsets, np.int64),
            np.array(functions, np.uint8),
            np.array(sources, np.int32),
            np.array(targets, np.int32),
            np.array(weights, np.float32),
        )
    )


def _function(node: neat.DefaultNodeGene, genome: int) -> int:
    where = f"genome {genome}, node {node.key}"
    if node.activation not in _NAMES:
        raise ValueError(f"{where}: expected an activation of {', '.join(_NAMES)}, found {node.activation}")
    found = (node.bias, node.response, node.aggregation)
    if found != (0.0, 1.0, "sum"):
        raise ValueError(f"{where}: expected bias 0, response 1 and aggregation sum, found {found}")
    return _NAMES.index(node.activation)
