"""The same search as most people would write it: neat-python genomes (CPPNs) or lists of genes (direct) under
DEAP operators, one image at a time; only the classifier gets batches.

It starts from elites that this project bred, so that both handle genotypes of the same size.
"""

from __future__ import annotations

import copy
import math
import random
import time
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import neat
import numpy as np
from deap import base, creator, tools
from numpy.typing import NDArray

from benchmarks.peers.common import SIDE
from cppn.exchange import neat_config, to_genomes
from cppn.keys import Keys
from fooling.archive import Archive, Candidates, Cells
from fooling.bench import Bench
from fooling.encodings.direct import DirectPopulation

Classify = Callable[[NDArray[np.uint8]], NDArray[np.float32]]
Elites = dict[int, tuple[float, Any]]  # digit -> confidence, individual


class Peer:
    """A MAP-Elites of Python objects, with a clock that stops while the classifier works."""

    def __init__(self, toolbox: base.Toolbox, elites: Elites, classify: Classify, population: int) -> None:
        self.toolbox, self.first, self._classify, self._population = toolbox, elites, classify, population

    def overhead(self, evaluations: int, seed: int) -> float:
        """Seconds apart from the classifier, for so many images bred from the first elites."""
        random.seed(seed)
        elites, spent = dict(self.first), 0.0
        statistics = tools.Statistics(lambda elite: elite[0])
        statistics.register("mean", np.mean)
        logbook = tools.Logbook()
        while evaluations > 0:
            began = time.perf_counter()
            children = []
            for _ in range(min(self._population, evaluations)):
                _, parent = elites[self.toolbox.select(list(elites))]
                child = self.toolbox.clone(parent)
                self.toolbox.mutate(child)
                children.append(child)
            pixels = np.array([self.toolbox.render(child) for child in children])
            paused = time.perf_counter()
            confidences = self._classify(pixels)
            resumed = time.perf_counter()
            compete(elites, children, confidences)
            logbook.record(**statistics.compile(list(elites.values())))
            spent += time.perf_counter() - began - (resumed - paused)
            evaluations -= len(children)
        return spent


def compete(elites: Elites, children: Sequence[Any], confidences: NDArray[np.float32]) -> None:
    """Each child in each class, as a loop."""
    for child, row in zip(children, confidences, strict=True):
        for digit, confidence in enumerate(row):
            if digit not in elites or confidence > elites[digit][0]:
                elites[digit] = (float(confidence), child)


def cppn_peer(bench: Bench) -> Peer:
    """neat-python genomes, drawn a pixel at a time."""
    config = neat_config(1, _population(bench))
    genomes = to_genomes(bench.archive.genotypes, config)
    toolbox = _toolbox()
    toolbox.register("mutate", lambda genome: genome.mutate(config.genome_config))
    toolbox.register("render", lambda genome: draw(genome, config))
    return Peer(toolbox, _elites(bench.archive, genomes), bench.classifier.classify, _population(bench))


def direct_peer(bench: Bench) -> Peer:
    """Lists of genes under DEAP's polynomial mutation."""
    settings: Any = bench.settings.encoding
    toolbox = _toolbox()
    toolbox.register(
        "mutate",
        tools.mutPolynomialBounded,
        eta=settings.mutation_eta,
        low=0.0,
        up=1.0,
        indpb=settings.mutation_rate,
    )
    toolbox.register("render", lambda genes: to_pixels(np.array(genes)))
    individuals = [_individual_type()(genes) for genes in bench.archive.genotypes.flat.tolist()]
    return Peer(toolbox, _elites(bench.archive, individuals), bench.classifier.classify, _population(bench))


def draw(genome: neat.DefaultGenome, config: neat.Config) -> NDArray[np.uint8]:
    """(28, 28, 1) uint8, by `activate` for each pixel."""
    network = neat.nn.FeedForwardNetwork.create(genome, config)
    values = np.empty((SIDE, SIDE))
    for row in range(SIDE):
        y = 2 * row / (SIDE - 1) - 1
        for column in range(SIDE):
            x = 2 * column / (SIDE - 1) - 1
            values[row, column] = network.activate([x, y, math.hypot(x, y), 1.0])[0]
    return to_pixels(values)


def to_pixels(values: NDArray[np.float64]) -> NDArray[np.uint8]:
    """|v|, at most 1, to the nearest byte: (28, 28, 1)."""
    return np.floor(np.minimum(np.abs(values), 1.0) * 255 + 0.5).astype(np.uint8).reshape(SIDE, SIDE, 1)


def check(bench: Bench, peer: Peer) -> dict[str, float]:
    """The peer draws this project's elites as this project does, its steps are as large, and its archive keeps
    the same images.

    Returns:
        What was found: the share of pixels that differ, by one level at most (float64 beside float32), and
        the relative difference of the mutations' mean step.

    Raises:
        AssertionError: it doesn't.
    """
    elites = [elite for _, elite in peer.first.values()]
    rows = [int(bench.archive.rows[digit]) for digit in peer.first]
    theirs = np.array([peer.toolbox.render(elite) for elite in elites])
    ours = bench.toolbox.render(bench.archive.genotypes.take(rows))
    differences = np.abs(theirs.astype(int) - ours.astype(int))
    off = float((differences > 0).mean())
    assert differences.max() <= 1, f"expected equal pixels, found one {differences.max()} levels off"
    assert off <= 0.005, f"expected equal pixels, found {off:.2%} that differ"
    _check_archive(bench, ours)
    found = {"share of pixels one level off": off}
    if bench.settings.encoding.name == "direct":
        found["relative difference of the mean step"] = _check_steps(bench, peer, elites[0], rows[0])
    return found


def _check_archive(bench: Bench, pixels: NDArray[np.uint8]) -> None:
    """Confidences with ties, offered to both archives."""
    count, classes = 200, len(bench.archive)
    confidences = np.round(np.random.default_rng(0).random((count, classes)), 2).astype(np.float32)
    elites: Elites = {}
    compete(elites, range(count), confidences)
    ids = np.column_stack([np.zeros(count), np.zeros(count), np.arange(count)]).astype(np.int32)
    some = np.arange(count) % len(pixels)
    genotypes = bench.archive.genotypes.take(np.zeros(count, np.int64))
    archive = Archive(Cells(classes), pixels.shape[1:], genotypes.take([]))
    archive.offer(Candidates.best_of(ids, pixels[some], genotypes, confidences))
    kept = archive.elite_ids[:, 2].tolist()
    assert kept == [elites[digit][1] for digit in range(classes)], "the archives keep different images"


def _check_steps(bench: Bench, peer: Peer, elite: list[float], row: int) -> float:
    """Of the same parent's children, the mean |step| of all genes."""
    random.seed(0)
    children = 400
    before = np.array(elite)
    theirs = 0.0
    for _ in range(children):
        child = peer.toolbox.clone(elite)
        peer.toolbox.mutate(child)
        theirs += float(np.abs(np.array(child) - before).mean()) / children
    parents: DirectPopulation = bench.archive.genotypes.take(np.full(children, row))
    mutated = bench.toolbox.mutate(parents, Keys.of_generation(1, 1, children))
    ours = float(np.abs(mutated.flat - before).mean())
    difference = abs(theirs / ours - 1)
    assert difference <= 0.05, f"expected steps of the same size, found {theirs:.5f} beside {ours:.5f}"
    return difference


def _toolbox() -> base.Toolbox:
    toolbox = base.Toolbox()
    toolbox.register("select", random.choice)
    toolbox.register("clone", copy.deepcopy)
    return toolbox


@lru_cache(maxsize=1)
def _individual_type() -> Any:
    """A list with a fitness, as DEAP's documentation makes them."""
    creator.create("FoolingFitness", base.Fitness, weights=(1.0,))
    creator.create("FoolingIndividual", list, fitness=creator.FoolingFitness)
    return creator.FoolingIndividual


def _elites(archive: Archive, individuals: Sequence[Any]) -> Elites:
    return {
        int(digit): (float(archive.confidence[digit]), individuals[archive.rows[digit]])
        for digit in archive.occupied
    }


def _population(bench: Bench) -> int:
    return bench.settings.search.population
