"""What the rendering tests share: populations as evolution makes them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from cppn import variation
from cppn.keys import Keys
from cppn.population import Population

Evolved = Callable[..., Population]


@pytest.fixture(scope="session")
def evolved() -> Evolved:
    """`evolved(count, outputs, generations=40)`: genotypes after so many mutations in a row."""

    def make(count: int, outputs: int, generations: int = 40) -> Population:
        rates = variation.Rates(activations=("sine", "sigmoid", "gaussian", "linear", "tanh", "relu"))
        population = variation.initialise(Keys.of_generation(1, 0, count), outputs, rates)
        for generation in range(1, generations + 1):
            population = variation.mutate(population, Keys.of_generation(1, generation, count), rates)
        return population

    return make
