"""The way to neat-python and back."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import neat
import numpy as np
import pytest

from cppn import variation
from cppn.exchange import from_genomes, neat_config, to_genomes
from cppn.keys import Keys
from cppn.population import Population
from cppn.rendering import Raster, inputs
from tests.cppn.rendering.reference import kernel_values


@pytest.fixture(autouse=True)
def _seeded() -> Iterator[None]:
    """neat-python draws from the global generator; other tests must not notice."""
    state = random.getstate()
    random.seed(1)
    yield
    random.setstate(state)


def evolved(count: int, outputs: int, generations: int = 30) -> Population:
    rates = variation.Rates()
    population = variation.initialise(Keys.of_generation(3, 0, count), outputs, rates)
    for generation in range(1, generations + 1):
        population = variation.mutate(population, Keys.of_generation(3, generation, count), rates)
    return population


def without_parallel_edges(population: Population) -> Population:
    """The genotypes of which no two edges join the same nodes."""
    rows = []
    for row in range(len(population)):
        edges = slice(population.edge_offsets[row], population.edge_offsets[row + 1])
        pairs = list(zip(population.sources[edges], population.targets[edges], strict=True))
        if len(set(pairs)) == len(pairs):
            rows.append(row)
    assert len(rows) > 3
    return population.take(rows)


@pytest.mark.parametrize("outputs", [1, 3])
def test_there_and_back_is_the_same_genotype(outputs: int) -> None:
    """A failure costs what was evolved: a genotype would come back as another one."""
    population = without_parallel_edges(evolved(40, outputs))
    config = neat_config(outputs, 10)
    back = from_genomes(to_genomes(population, config), config)
    for name, array in population.arrays().items():
        assert np.array_equal(back.arrays()[name], array), name
        assert back.arrays()[name].dtype == array.dtype, name


def test_parallel_edges_become_one_connection_of_the_same_effect() -> None:
    """A failure costs a weight: neat-python keeps one connection per pair of nodes."""
    population = variation.initialise(Keys.of_generation(0, 0, 1), 1, variation.Rates())
    doubled = Population(
        1,
        population.node_offsets,
        2 * population.edge_offsets,
        population.activations,
        np.tile(population.sources, 2),
        np.tile(population.targets, 2),
        np.tile(population.weights / 2, 2),
    )
    config = neat_config(1, 10)
    back = from_genomes(to_genomes(doubled, config), config)
    assert back.edges.tolist() == [4]
    assert np.array_equal(back.weights, population.weights)


def test_exported_networks_compute_what_is_drawn() -> None:
    """A failure costs neat-python as the oracle. Its float64 and our float32 differ by rounding, which
    weights of up to 10 magnify at each node."""
    population, config = evolved(8, 3), neat_config(3, 10)
    drawn = kernel_values(population, Raster(5, colour="hls", channels=3))
    pixels = inputs(5, 5, "normalised").reshape(3, -1)
    for genome, image in zip(to_genomes(population, config), drawn, strict=True):
        network = neat.nn.FeedForwardNetwork.create(genome, config)
        expected = [network.activate([*map(float, pixel), 1.0]) for pixel in pixels.T]
        assert np.abs(image.reshape(-1, 3) - expected).max() < 1e-3


def test_innovation_numbers_name_connections_across_genomes() -> None:
    """A failure costs crossover: genes are lined up by these numbers."""
    config = neat_config(3, 10)
    numbers: dict[tuple[int, int], int] = {}
    for genome in to_genomes(evolved(10, 3), config):
        for pair, connection in genome.connections.items():
            assert numbers.setdefault(pair, connection.innovation) == connection.innovation
    assert len(set(numbers.values())) == len(numbers) > 12


def test_exported_genomes_evolve_on_in_neat_python() -> None:
    """A failure costs users of neat-python an assertion error: a new node with the number of an old one."""
    config = neat_config(1, 10)
    genomes = to_genomes(evolved(10, 1), config)
    settings = config.genome_config
    for genome in genomes:
        genome.fitness = 0.0
    for _ in range(30):
        child = neat.DefaultGenome(0)
        child.configure_crossover(*random.sample(genomes, 2), settings)
        for _ in range(5):
            child.mutate(settings)
        from_genomes([child], config)


@pytest.mark.parametrize("outputs", [1, 3])
def test_neat_python_evolves_genomes_that_are_genotypes(outputs: int) -> None:
    """A failure costs the NEAT baseline, which draws its genomes with our renderer."""
    config, raster = neat_config(outputs, 60), Raster(8, colour="grey" if outputs == 1 else "hls", channels=3)
    species: list[int] = []

    def fitness(genomes: list[tuple[int, Any]], _: neat.Config) -> None:
        population = from_genomes([genome for _, genome in genomes], config)
        for (_, genome), image in zip(genomes, kernel_values(population, raster), strict=True):
            genome.fitness = float(np.abs(np.diff(image, axis=0)).mean())
        species.append(len(evolution.species.species))

    evolution = neat.Population(config)
    best = evolution.run(fitness, 12)
    population = from_genomes(evolution.population.values(), config)
    assert len(population) == 60
    assert population.nodes.max() > outputs  # it grew
    assert best.fitness > 0.5
    assert all(1 <= count <= 12 for count in species)  # neither one per genome, nor more than NEAT can keep


def test_weights_begin_and_stay_in_their_range() -> None:
    """A failure costs a fair comparison of NEAT with the other searches."""
    config = neat_config(1, 10, variation.Rates(weight_range=4.0, activations=("sine",)))
    genome = neat.DefaultGenome(0)
    config.genome_config.innovation_tracker = neat.InnovationTracker()
    genome.configure_new(config.genome_config)
    for _ in range(200):
        genome.mutate(config.genome_config)
        weights = [connection.weight for connection in genome.connections.values()]
        assert np.abs(weights).max(initial=0.0) <= 4.0
        assert {node.activation for node in genome.nodes.values()} == {"cppn_sine"}


@pytest.mark.parametrize(
    "attribute, value, message",
    [
        ("activation", "sigmoid", "node 0: expected an activation of cppn_sine, .* found sigmoid"),
        ("bias", 0.5, r"node 0: expected bias 0, response 1 and aggregation sum, found \(0.5, 1.0, 'sum'\)"),
        ("response", 2.0, "expected bias 0, response 1"),
        ("aggregation", "max", "aggregation sum, found"),
    ],
)
def test_genomes_that_mean_something_else_are_refused(attribute: str, value: Any, message: str) -> None:
    """A failure costs the truth: neat-python's sigmoid, for one, is another function than ours."""
    config = neat_config(1, 10)
    (genome,) = to_genomes(evolved(1, 1), config)
    setattr(genome.nodes[0], attribute, value)
    with pytest.raises(ValueError, match=message):
        from_genomes([genome], config)


def test_disabled_connections_and_cycles() -> None:
    """A failure costs dead connections that come to life, or a renderer that is given a cycle."""
    config = neat_config(1, 10)
    (genome,) = to_genomes(variation.initialise(Keys.of_generation(0, 0, 1), 1, variation.Rates()), config)
    genome.connections[-1, 0].enabled = False
    assert from_genomes([genome], config).sources.tolist() == [1, 2, 3]
    genome.nodes[1] = genome.nodes[0].copy()
    genome.add_connection(config.genome_config, 1, 1, 1.0, True)
    with pytest.raises(ValueError, match="cycle"):
        from_genomes([genome], config)
    del genome.nodes[0]
    with pytest.raises(ValueError, match="expected output nodes 0 to 0"):
        from_genomes([genome], config)
