"""What a network computes: the kernel, the reference and neat-python on the same genotypes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import neat
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cppn.activations import GAUSSIAN, LINEAR, NAMES, RELU, SIGMOID, SINE, TANH
from cppn.exchange import neat_config, to_genomes
from cppn.population import INPUTS, Population
from cppn.rendering import Raster, inputs
from tests.cppn.rendering import reference
from tests.cppn.rendering.reference import kernel_values

X, Y, DISTANCE, BIAS = range(INPUTS)
GREY, COLOUR = INPUTS + 1, INPUTS + 3  # the number of the first hidden node
OUT = INPUTS
Edges = list[tuple[int, int, float]]


def genotype(activations: list[int], edges: Edges, outputs: int = 1) -> Population:
    """One genotype of `activations` (outputs first) and edges (source, target, weight)."""
    sources, targets, weights = zip(*edges, strict=True) if edges else ((), (), ())
    return Population(
        outputs,
        np.array([0, len(activations)]),
        np.array([0, len(edges)]),
        np.array(activations, np.uint8),
        np.array(sources, np.int32),
        np.array(targets, np.int32),
        np.array(weights, np.float32),
    )


def raster(population: Population, size: int, **settings: Any) -> Raster:
    colour: Any = "grey" if population.outputs == 1 else "rgb"
    return Raster(size, colour=colour, channels=1 if population.outputs == 1 else 3, **settings)


@st.composite
def genotypes(draw: st.DrawFn, weights: st.SearchStrategy[float]) -> Population:
    """Any acyclic network: parallel edges, dead ends, orphans and unreachable outputs too."""
    outputs, hidden = draw(st.sampled_from([1, 3])), draw(st.integers(0, 8))
    nodes = outputs + hidden
    # Edges go from hidden nodes to later ones of a random order, so that numbers say nothing about depth.
    order = draw(st.permutations(range(INPUTS + outputs, INPUTS + nodes)))
    sources = [*range(INPUTS), *order]
    targets = [*range(INPUTS, INPUTS + outputs), *order]
    edges = []
    for _ in range(draw(st.integers(0, 3 * nodes))):
        target = draw(st.sampled_from(targets))
        allowed = sources if target < INPUTS + outputs else sources[: INPUTS + order.index(target)]
        edges.append((draw(st.sampled_from(allowed)), target, draw(weights)))
    functions = draw(st.lists(st.integers(0, len(NAMES) - 1), min_size=nodes, max_size=nodes))
    return genotype(functions, edges, outputs)


@settings(max_examples=300)
@given(
    genotypes(st.floats(-3, 3, width=32)) | genotypes(st.floats(width=32)),
    st.sampled_from([1, 2, 28, 33, 61]),
    st.sampled_from(["normalised", "raw"]),
)
def test_the_kernel_gives_the_bits_of_the_reference(
    population: Population, size: int, coordinates: str
) -> None:
    """A failure costs the claim that an image is what the reference says: a genotype could not be rendered
    again elsewhere. Weights are any float32, infinities and NaN included."""
    where = raster(population, size, coordinates=coordinates)
    found, expected = kernel_values(population, where), reference.values(population, where)
    assert np.array_equal(found.view(np.uint32), expected.view(np.uint32))
    assert np.isfinite(found).all()


def chain(length: int, function: int, weight: float) -> Population:
    """x -> hidden nodes, each numbered before the one that feeds it -> output."""
    hidden = [GREY + k for k in reversed(range(length))]
    steps = zip([X, *hidden], [*hidden, OUT], strict=True)
    return genotype([LINEAR] + [function] * length, [(a, b, weight) for a, b in steps])


def wide(count: int) -> Population:
    """200 nodes and more, in three layers."""
    rng = np.random.default_rng(5)
    layers = np.split(np.arange(COLOUR, COLOUR + 3 * (count // 3)), 3)
    edges: Edges = []
    for below, layer in zip([np.arange(INPUTS), *layers[:2]], layers, strict=True):
        edges += [(int(rng.choice(below)), int(node), rng.uniform(-2, 2)) for node in layer for _ in range(2)]
    edges += [(int(node), INPUTS + int(node) % 3, rng.uniform(-0.2, 0.2)) for node in layers[2]]
    return genotype(rng.integers(0, len(NAMES), 3 + 3 * (count // 3)).tolist(), edges, 3)


CASES: dict[str, Callable[[], Population]] = {
    "no hidden nodes": lambda: genotype([SINE], [(X, OUT, 3.0), (Y, OUT, -2.0), (DISTANCE, OUT, 5.0)]),
    "no edges": lambda: genotype([GAUSSIAN, SINE, SIGMOID], [], 3),
    "constant outputs": lambda: genotype([SINE], [(BIAS, OUT, 1.0)]),
    "an orphan gaussian is a hidden bias": lambda: genotype(
        [SIGMOID, GAUSSIAN], [(GREY, OUT, 0.75), (Y, OUT, 1.0)]
    ),
    "points feed points": lambda: genotype(
        [SINE, TANH, SIGMOID],
        [(BIAS, GREY, 0.25), (GREY, GREY + 1, 2.0), (GREY + 1, OUT, 3.0), (X, OUT, 1.0)],
    ),
    "parallel edges add up": lambda: genotype([SINE], [(X, OUT, 1.25), (Y, OUT, 2.0), (X, OUT, 0.5)]),
    "a dead end": lambda: genotype(
        [SINE, RELU, TANH], [(X, OUT, 1.0), (X, GREY, 9.0), (GREY, GREY + 1, 9.0), (Y, OUT, 1.0)]
    ),
    "a deep chain": lambda: chain(300, SINE, 1.0),
    "relu": lambda: genotype([LINEAR, RELU], [(X, GREY, 2.0), (DISTANCE, GREY, -1.0), (GREY, OUT, 3.0)]),
    "tanh": lambda: genotype([TANH], [(X, OUT, 0.3), (Y, OUT, -0.2)]),
    "many nodes": lambda: wide(240),
}


@pytest.mark.parametrize("size", [1, 2, 33])
@pytest.mark.parametrize("case", CASES)
def test_networks_compute_what_neat_python_computes(case: str, size: int) -> None:
    """A failure costs the meaning of a genotype: another network would be drawn than the one that evolved.
    neat-python computes in float64; what 300 nodes in a row make of float32's roundings stays below 1e-5."""
    population = CASES[case]()
    config = neat_config(population.outputs, 2)
    network = neat.nn.FeedForwardNetwork.create(to_genomes(population, config)[0], config)
    found = kernel_values(population, raster(population, size))[0]
    pixels = inputs(size, size, "normalised").reshape(3, -1)
    chosen = np.random.default_rng(0).permutation(size * size)[:150]
    expected = [network.activate([*map(float, pixels[:, pixel]), 1.0]) for pixel in chosen]
    assert np.abs(found.reshape(-1, population.outputs)[chosen] - expected).max() < 1e-5


@pytest.mark.parametrize("function", range(len(NAMES)))
@pytest.mark.parametrize("weight", [3e38, -3e38, np.inf, np.nan])
def test_extreme_weights_give_finite_numbers(function: int, weight: float) -> None:
    """A failure costs a run: one NaN in the images makes every confidence NaN."""
    edges = [(X, GREY, weight), (Y, GREY, -weight), (GREY, OUT, weight), (DISTANCE, OUT, weight)]
    population = genotype([function, function], edges)
    assert np.isfinite(kernel_values(population, raster(population, 28))).all()


def test_nodes_that_reach_no_output_change_nothing() -> None:
    """A failure costs speed, or images: what evolution leaves behind must not be drawn."""
    edges: Edges = [(X, GREY, 2.0), (GREY, OUT, 1.5), (Y, OUT, -3.0)]
    dead: Edges = [(GREY, GREY + 1, 4.0), (DISTANCE, GREY + 1, 4.0), (GREY + 1, GREY + 2, 4.0)]
    alone = genotype([SINE, GAUSSIAN], edges)
    with_dead = genotype([SINE, GAUSSIAN, SINE, TANH], dead + edges)
    where = raster(alone, 28)
    assert np.array_equal(kernel_values(alone, where), kernel_values(with_dead, where))


def test_x_is_the_column_y_the_row_and_d_the_distance_from_the_centre() -> None:
    """A failure costs every stored genotype: its image would be turned or scaled."""
    single = [genotype([LINEAR], [(source, OUT, 3.0)]) for source in (X, Y, DISTANCE)]
    x, y, d = (kernel_values(population, raster(population, 5))[0, :, :, 0] for population in single)
    line = np.array([-1, -0.5, 0, 0.5, 1])
    assert np.array_equal(x, np.tile(line, (5, 1)))
    assert np.array_equal(y, x.T)
    assert np.allclose(d, np.minimum(np.hypot(x, y), 1.0), atol=1e-7)


@pytest.mark.parametrize(
    ("size", "x", "y"),
    [
        ((2, 5), [-2.5, -1.25, 0, 1.25, 2.5], [-1, 1]),
        ((4, 10), np.linspace(-2.5, 2.5, 10, dtype=np.float32), np.linspace(-1, 1, 4, dtype=np.float32)),
        ((9, 3), [-1, 0, 1], [-3, -2.25, -1.5, -0.75, 0, 0.75, 1.5, 2.25, 3]),
        ((1, 5), [-5, -2.5, 0, 2.5, 5], [0]),
        ((1, 1), [0], [0]),
    ],
)
def test_the_shorter_side_runs_from_minus_1_to_1(size: Any, x: Any, y: Any) -> None:
    """A failure costs stored genotypes their images, and circles that are drawn as ellipses."""
    across, down, distance = inputs(*size, "normalised")
    assert np.allclose(across, np.tile(x, (size[0], 1)), atol=1e-6)
    assert np.allclose(down.T, np.tile(y, (size[1], 1)), atol=1e-6)
    assert np.array_equal(across, -across[:, ::-1])
    assert np.array_equal(distance, np.sqrt(across * across + down * down))
    raw = inputs(*size, "raw")
    assert raw[0, 0].tolist() == list(range(size[1]))
    assert raw[1, :, 0].tolist() == list(range(size[0]))
    assert np.array_equal(raw[2], distance)


def test_raw_coordinates_count_pixels_and_leave_the_distance_alone() -> None:
    """A failure costs the released settings: its images are those of raw x and y."""
    x, y, d = inputs(4, 4, "raw")
    assert np.array_equal(x, np.tile([0, 1, 2, 3], (4, 1)))
    assert np.array_equal(y, x.T)
    assert np.array_equal(d, inputs(4, 4, "normalised")[2])


def test_a_network_without_distance_is_as_symmetric_as_its_inputs() -> None:
    """A failure costs symmetry, which people see: rounding in the coordinates breaks it."""
    population = genotype([GAUSSIAN], [(X, OUT, 9.7), (DISTANCE, OUT, 1.3)])
    mirrored = genotype([GAUSSIAN], [(X, OUT, -9.7), (DISTANCE, OUT, 1.3)])
    where = raster(population, 100)
    assert np.array_equal(kernel_values(population, where)[:, :, ::-1], kernel_values(mirrored, where))
