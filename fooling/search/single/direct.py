"""Direct images under DEAP's own algorithm: `algorithms.eaMuPlusLambda` (the (mu + lambda) evolution of Beyer &
Schwefel 2002, "Evolution strategies: a comprehensive introduction") on lists of genes.

The operators are DEAP's too: polynomial mutation and simulated binary crossover in Deb's bounded forms, at the
rates of the encoding's settings, and truncation selection. A child is crossed or mutated, not both (`varOr`).
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Sequence
from typing import Any

import numpy as np
from deap import algorithms, base, tools

from fooling.encodings.direct import DirectEncoding, DirectPopulation
from fooling.search.single.algorithm import Judge


class Fitness(base.Fitness):
    """A confidence, to be maximised."""

    weights = (1.0,)


class Individual(list[float]):
    """The genes of an image.

    Attributes:
        fitness: as DEAP has it.
        key: it has one from its first judgement on.
        parents: keys.
    """

    def __init__(self, genes: Any) -> None:
        super().__init__(genes)
        self.fitness = Fitness()
        self.key = -1
        self.parents: tuple[int, ...] = ()


class DirectAlgorithm:
    """See `fooling.search.single.algorithm.Algorithm`: mu = lambda = `size`."""

    def __init__(self, encoding: DirectEncoding, size: int) -> None:
        self._encoding, self._size = encoding, size
        self._shape = encoding.empty().genes.shape[1:]
        self._generation, self._keys = 0, itertools.count()
        settings = encoding.settings
        self._crossed = settings.crossover_rate if encoding.has_crossover else 0.0
        self._toolbox = base.Toolbox()
        self._toolbox.register("clone", clone)
        self._toolbox.register("mate", mate, eta=settings.crossover_eta)
        self._toolbox.register("select", tools.selBest)
        self._toolbox.register("map", lambda evaluate, individuals: evaluate(individuals))  # all at once
        genes = int(np.prod(self._shape))
        self._population = tools.initRepeat(
            list, lambda: tools.initRepeat(Individual, random.random, genes), size
        )

    def advance(self, judge: Judge) -> None:
        number = self._generation
        rate, eta = self._encoding.mutation_rate(number), self._encoding.settings.mutation_eta
        tool = self._toolbox
        tool.register("evaluate", self._evaluate, judge)
        tool.register("mutate", tools.mutPolynomialBounded, eta=eta, low=0.0, up=1.0, indpb=rate)
        algorithms.eaMuPlusLambda(
            self._population,
            tool,
            mu=self._size,
            lambda_=self._size,
            cxpb=self._crossed,
            mutpb=1.0 - self._crossed,
            ngen=min(number, 1),  # of none, DEAP judges the first population
            verbose=False,
        )
        self._generation += 1

    def _evaluate(self, judge: Judge, individuals: Sequence[Individual]) -> list[tuple[float]]:
        if not individuals:  # before it breeds, DEAP asks for those that were not judged yet: there are none
            return []
        for individual in individuals:
            individual.key = next(self._keys)
        genes = np.array(individuals, np.float32).reshape(-1, *self._shape)
        keys, parents = [i.key for i in individuals], [i.parents for i in individuals]
        return [(confidence,) for confidence in judge(keys, DirectPopulation(genes), parents)]


def clone(individual: Individual) -> Individual:
    """A copy, which is a child of the original until something else is made of it."""
    copy = Individual(individual)
    copy.fitness.values = individual.fitness.values
    copy.parents = (individual.key,)
    return copy


def mate(one: Individual, other: Individual, eta: float) -> tuple[Individual, Individual]:
    """DEAP's bounded SBX of two clones, which are children of both originals then."""
    tools.cxSimulatedBinaryBounded(one, other, eta=eta, low=0.0, up=1.0)
    one.parents, other.parents = one.parents + other.parents, other.parents + one.parents
    return one, other
