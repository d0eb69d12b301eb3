"""CPPNs under neat-python's own algorithm: `neat.Population`, which is NEAT with speciation (Stanley & Miikkulainen
2002, "Evolving neural networks through augmenting topologies"), at the rates of the encoding's settings.

Genomes become packed genotypes, which our renderer draws: the activation functions are those of `cppn`, not
neat-python's scaled ones (`cppn.exchange`). In each generation all genomes are judged, as neat-python does: the
best of each species, which it carries over, again.
"""

from __future__ import annotations

from typing import Any

import neat

from cppn.exchange import from_genomes, neat_config
from fooling.encodings.cppn import CppnEncoding
from fooling.search.single.algorithm import Judge


class CppnAlgorithm:
    """See `fooling.search.single.algorithm.Algorithm`."""

    def __init__(self, encoding: CppnEncoding, size: int) -> None:
        self._config = neat_config(encoding.empty().outputs, size, encoding.rates)
        self._evolution = neat.Population(self._config)

    def advance(self, judge: Judge) -> None:
        ancestors = self._evolution.reproduction.ancestors

        def fitness(genomes: list[tuple[int, Any]], _: neat.Config) -> None:
            ordered = sorted(genomes, key=lambda pair: pair[0])
            keys = [key for key, _ in ordered]
            genotypes = from_genomes([genome for _, genome in ordered], self._config)
            confidences = judge(keys, genotypes, [ancestors[key] for key in keys])
            for (_, genome), confidence in zip(ordered, confidences, strict=True):
                genome.fitness = confidence

        self._evolution.run(fitness, 1)
