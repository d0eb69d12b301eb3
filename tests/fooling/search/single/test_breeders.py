"""It is the libraries' own algorithm: generation by generation gives what one call of theirs gives."""

from __future__ import annotations

import itertools
import random
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

import neat
import numpy as np
import pytest
from deap import algorithms, base, tools

from cppn.exchange import from_genomes, neat_config
from fooling.encodings.cppn import CppnEncoding
from fooling.encodings.direct import DirectEncoding
from fooling.encodings.settings import ResolvedCppn, ResolvedDirect
from fooling.search.global_random import Stream
from fooling.search.single.direct import DirectAlgorithm, Individual
from fooling.search.single.neat_cppn import CppnAlgorithm

SIZE, GENERATIONS, SIDE = 8, 6, 5


def worth(pixels: np.ndarray) -> list[float]:
    """Smooth, bright, uneven: something to climb."""
    images = pixels.reshape(len(pixels), -1) / 255
    return (images.mean(1) + np.abs(np.diff(images, axis=1)).max(1)).tolist()


class Log:
    """Judges, and remembers what it was asked."""

    def __init__(self, encoding: Any) -> None:
        self.encoding = encoding
        self.generations: list[tuple[list[int], np.ndarray, list[Sequence[int]]]] = []

    def __call__(self, keys: Sequence[int], genotypes: Any, parents: Sequence[Sequence[int]]) -> list[float]:
        pixels = self.encoding.render(genotypes)
        self.generations.append((list(keys), pixels, list(parents)))
        return worth(pixels)


def run(breeder_type: Any, encoding: Any) -> Log:
    log, stream = Log(encoding), Stream("seed")
    with stream.lent():
        breeder = breeder_type(encoding, SIZE)
    for _ in range(GENERATIONS):
        with stream.lent():
            breeder.advance(log)
    return log


@pytest.fixture(params=["none", "sbx"])
def direct(request: Any) -> DirectEncoding:
    settings = ResolvedDirect(size=SIDE, colour="grey", crossover=request.param, crossover_rate=0.6)
    return DirectEncoding(settings, 1)


def test_direct_images_are_bred_by_deap(direct: DirectEncoding) -> None:
    """A failure costs the claim that the baseline is DEAP's own algorithm."""
    log, asked = run(DirectAlgorithm, direct), []
    random.seed("seed")

    def evaluate(individuals: Sequence[Individual]) -> list[tuple[float]]:
        if not individuals:
            return []
        genes = np.array(individuals, np.float32).reshape(-1, SIDE, SIDE, 1)
        asked.append(np.floor(genes * np.float32(255) + np.float32(0.5)).astype(np.uint8))
        return [(value,) for value in worth(asked[-1])]

    crossed = 0.6 if direct.has_crossover else 0.0
    toolbox = base.Toolbox()
    toolbox.register("evaluate", evaluate)
    toolbox.register("map", lambda function, individuals: function(individuals))
    toolbox.register("mutate", tools.mutPolynomialBounded, eta=15.0, low=0.0, up=1.0, indpb=0.1)
    toolbox.register("mate", tools.cxSimulatedBinaryBounded, eta=10.0, low=0.0, up=1.0)
    toolbox.register("select", tools.selBest)
    population = [Individual(random.random() for _ in range(SIDE * SIDE)) for _ in range(SIZE)]
    algorithms.eaMuPlusLambda(
        population, toolbox, SIZE, SIZE, crossed, 1 - crossed, GENERATIONS - 1, verbose=False
    )
    assert len(asked) == GENERATIONS
    for (_, pixels, _), theirs in zip(log.generations, asked, strict=True):
        assert np.array_equal(pixels, theirs)


def test_children_name_their_parents(direct: DirectEncoding) -> None:
    """A failure costs the lineage: by mutation a child has one parent, by crossover two, all of them judged."""
    log = run(DirectAlgorithm, direct)
    keys = list(itertools.chain.from_iterable(keys for keys, _, _ in log.generations))
    assert keys == list(range(SIZE * GENERATIONS))
    assert log.generations[0][2] == SIZE * [()]
    known: set[int] = set(log.generations[0][0])
    for own, _, parents in log.generations[1:]:
        assert {len(of) for of in parents} <= ({1, 2} if direct.has_crossover else {1})
        assert known.issuperset(itertools.chain.from_iterable(parents))
        known.update(own)


def test_the_mutation_rate_halves_as_the_settings_say() -> None:
    """A failure costs the paper's profile: its rate would stay."""
    settings = ResolvedDirect(size=40, colour="grey", mutation_halving=2)
    log = run(DirectAlgorithm, DirectEncoding(settings, 1))
    pixels = {
        key: image for keys, images, _ in log.generations for key, image in zip(keys, images, strict=True)
    }
    shares = []
    for keys, images, parents in log.generations[1:]:
        changed = [(image != pixels[of[0]]).mean() for image, of in zip(images, parents, strict=True)]
        assert len(changed) == len(keys)
        shares.append(float(np.mean(changed)))
    rates = [0.1, 0.05, 0.05, 0.025, 0.025]
    assert np.allclose(np.array(shares) / rates, np.mean(np.array(shares) / rates), rtol=0.15)


@pytest.mark.parametrize("colour", ["grey", "hls"])
def test_cppns_are_bred_by_neat_python(colour: Any) -> None:
    """A failure costs the claim that the baseline is neat-python's own algorithm."""
    settings = ResolvedCppn(size=SIDE, colour=colour, add_node=0.7, activations=("sine", "tanh"))
    encoding = CppnEncoding(settings, 1 if colour == "grey" else 3)
    log, asked = run(CppnAlgorithm, encoding), []
    random.seed("seed")
    config = neat_config(1 if colour == "grey" else 3, SIZE, encoding.rates)
    population = neat.Population(config)

    def fitness(genomes: list[tuple[int, Any]], _: neat.Config) -> None:
        pixels = encoding.render(from_genomes([genome for _, genome in genomes], config))
        for (_, genome), value in zip(genomes, worth(pixels), strict=True):
            genome.fitness = value
        asked.append({key: image for (key, _), image in zip(genomes, pixels, strict=True)})

    population.run(fitness, GENERATIONS)
    assert len(asked) == GENERATIONS
    for (keys, pixels, parents), theirs in zip(log.generations, asked, strict=True):
        assert keys == sorted(theirs)
        assert all(np.array_equal(image, theirs[key]) for key, image in zip(keys, pixels, strict=True))
        assert all(
            tuple(of) == population.reproduction.ancestors[key] for key, of in zip(keys, parents, strict=True)
        )


def test_the_global_generator_is_given_back_even_when_a_library_fails() -> None:
    """A failure costs a user's own program its seed."""
    random.seed(3)
    state = random.getstate()
    stream = Stream("a")
    seen: list[Any] = []

    def library() -> None:
        with stream.lent():
            random.random()
            with stream.paused():
                seen.append(random.getstate())
                raise ZeroDivisionError

    for _ in range(2):  # it is not left locked, either
        with pytest.raises(ZeroDivisionError):
            library()
    assert random.getstate() == state
    assert seen == [state, state]


def test_a_stream_goes_on_where_it_was_left() -> None:
    """A failure costs repeats: what others draw meanwhile would change a library's draws."""
    stream, drawn = Stream("a"), []
    for _ in range(3):
        with stream.lent():
            drawn.append(random.random())
            with stream.paused():
                random.random()
            drawn.append(random.random())
        random.random()
    reference = random.Random("a")
    assert drawn == [reference.random() for _ in range(6)]


def test_a_process_that_never_saw_the_search_finds_its_task() -> None:
    """A failure costs every run on Ray: workers are told tasks by name."""
    code = "import fooling.runs.hosting\nfrom workers.tasks import TASKS\nprint(sorted(TASKS))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (
        result.stdout
        == "['breed', 'climb', 'evaluate', 'evaluate_individuals', 'evaluate_offspring', 'render_offspring']\n"
    )
