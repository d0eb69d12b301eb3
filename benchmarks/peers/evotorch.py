"""EvoTorch's MAPElites on the same task: ten cells by top digit, 784 genes in [0, 1], Gaussian mutation of
standard deviation 0.5, as in pyribs' tutorial. Its population is its grid, so a step breeds ten images; each is
held against every cell.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

import torch

from benchmarks.peers.common import DIGITS, PIXELS, SIDE, Found


def search(
    evotorch: Any, probabilities: Callable[[torch.Tensor], torch.Tensor], evaluations: int, seed: int
) -> Found:
    """MAPElites, stepped until it has evaluated so many images."""
    logging.getLogger("evotorch").setLevel(logging.ERROR)

    @evotorch.decorators.vectorized
    def fitness(values: torch.Tensor) -> torch.Tensor:
        scores, digits = torch.max(probabilities(values.view(-1, 1, SIDE, SIDE)), 1)
        return torch.stack([scores, digits.to(scores.dtype)], 1)

    problem = evotorch.Problem(
        "max",
        fitness,
        solution_length=PIXELS,
        bounds=(0.0, 1.0),
        eval_data_length=1,
        dtype=torch.float32,
        seed=seed,
        store_solution_stats=False,
    )
    map_elites = evotorch.algorithms.MAPElites
    searcher = map_elites(
        problem,
        operators=[evotorch.operators.GaussianMutation(problem, stdev=0.5)],
        feature_grid=map_elites.make_feature_grid([0.5], [DIGITS - 1.5], DIGITS, dtype=torch.float32),
        re_evaluate=False,
    )
    began = time.perf_counter()
    # Its first step evaluates the first population too.
    steps = evaluations // DIGITS - 1
    for _ in range(steps):
        searcher.step()
    seconds = time.perf_counter() - began
    digits = torch.nonzero(searcher.filled).flatten().tolist()
    values, evals = searcher.population.values, searcher.population.evals
    return Found(
        seconds,
        (steps + 1) * DIGITS,
        {digit: values[digit].view(SIDE, SIDE).numpy() for digit in digits},
        {digit: float(evals[digit, 0]) for digit in digits},
    )
