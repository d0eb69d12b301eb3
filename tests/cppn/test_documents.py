"""Genotypes as documents, changed and taken apart."""

from __future__ import annotations

import json

import numpy as np
import pytest

from cppn.activations import FORMULAS, NAMES
from cppn.documents import edges_of, node_images, nodes_of, reweighted
from cppn.keys import Keys
from cppn.population import INPUTS, Population
from cppn.rendering import Raster, render
from cppn.variation import Rates, check, initialise, mutate

RASTER = Raster((7, 9), colour="hls", channels=3)


def grown(count: int = 6, generations: int = 12) -> Population:
    rates = Rates(activations=NAMES)
    children = np.arange(count, dtype=np.uint32)
    population = initialise(Keys(3, 0, children, 0), 3, rates)
    for generation in range(generations):
        population = mutate(population, Keys(3, 1 + generation, children, 0), rates)
    return population


def test_a_document_gives_the_genotype_back() -> None:
    """A failure loses bits of weights on their way through JSON."""
    population = grown()
    for row in range(len(population)):
        nodes = json.loads(json.dumps(nodes_of(population, row, "hls")))
        edges = json.loads(json.dumps(edges_of(population, row)))
        again = Population(
            3,
            np.array([0, len(nodes) - INPUTS]),
            np.array([0, len(edges)]),
            np.array([NAMES.index(node[3]) for node in nodes[INPUTS:]], np.uint8),
            np.array([edge[0] for edge in edges], np.int32),
            np.array([edge[1] for edge in edges], np.int32),
            np.array([edge[2] for edge in edges], np.float32),
        )
        assert again.canonical_bytes(0) == population.canonical_bytes(row)
        assert [node[1] for node in nodes[:8]] == ["input"] * 4 + ["output"] * 3 + ["hidden"] * (
            len(nodes) > 7
        )


def test_other_weights() -> None:
    """A failure changes another edge, or the genotype of the archive itself."""
    population = grown()
    before = population.canonical_bytes(2)
    edges = edges_of(population, 2)
    found = edges_of(reweighted(population, 2, {1: 0.1, len(edges) - 1: -3.0}), 0)
    assert found[1].weight == float(np.float32(0.1))
    assert found[-1].weight == -3.0
    assert [edge for place, edge in enumerate(found) if place not in (1, len(edges) - 1)] == edges[
        :1
    ] + edges[2:-1]
    assert population.canonical_bytes(2) == before


@pytest.mark.parametrize(("place", "weight"), [(-1, 0.0), (10**9, 0.0), (0, float("nan")), (0, 1e39)])
def test_weights_that_there_are_not(place: int, weight: float) -> None:
    """A failure writes beyond an array, or hands NaN to the renderer."""
    with pytest.raises(ValueError, match="expected"):
        reweighted(grown(), 0, {place: weight})


def test_the_images_of_nodes() -> None:
    """Held against a plain evaluation in float64. A failure shows what another node puts out."""
    population = grown()
    row = int(population.nodes.argmax())
    nodes, edges = nodes_of(population, row, "hls"), edges_of(population, row)
    values = {0: RASTER.inputs[0], 1: RASTER.inputs[1], 2: RASTER.inputs[2], 3: np.ones((7, 9))}

    def value(node: int) -> np.ndarray:
        if node not in values:
            total = np.zeros((7, 9)) + sum(
                edge.weight * value(edge.source) for edge in edges if edge.target == node
            )
            with np.errstate(over="ignore"):
                values[node] = FORMULAS[NAMES.index(nodes[node].activation or "")](total)
        return values[node]

    images = check(node_images(population, row))
    drawn = render(images, Raster((7, 9)))[..., 0]
    assert len(drawn) == len(nodes) > 10
    for node in range(len(nodes)):
        wanted = np.minimum(np.abs(value(node)), 1) * 255
        assert (np.abs(drawn[node] - wanted) < 1.5).mean() > 0.95, nodes[node]
