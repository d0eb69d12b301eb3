"""The kernels of the direct encoding (Nguyen 2015, section 1): random genes, and their polynomial
mutation."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cppn.jit import kernel
from cppn.keys import child_key, words_into
from cppn.polynomial import mutate_values, new_tile

TILE = 1024  # random words that are made at a time: 4 kB, well inside the first cache
_UNIT_24 = 1.0 / 16777216.0
_EIGHT = np.uint32(8)


@kernel
def random_genes(
    seed: np.uint64, generation: int, lane: int, children: NDArray[np.uint32], genes: NDArray[np.float32]
) -> None:
    """Fill `genes`, (N, G) float32, with uniform numbers in [0, 1), on a grid of 2^-24; for the other
    arguments see `cppn.keys.Keys.counters`."""
    words = np.empty(TILE, np.uint32)
    for row in range(genes.shape[0]):
        key = child_key(seed, generation, lane, children[row])
        for first in range(0, genes.shape[1], TILE):
            words_into(key, first // 4, words)
            for i in range(min(TILE, genes.shape[1] - first)):
                genes[row, first + i] = np.float32((words[i] >> _EIGHT) * _UNIT_24)


@kernel
def mutate_genes(
    genes: NDArray[np.float32],
    rate: float,
    eta: float,
    seed: np.uint64,
    generation: int,
    lane: int,
    children: NDArray[np.uint32],
) -> None:
    """Mutate each of `genes`, (N, G) float32 in [0, 1], with probability `rate`, in place; the higher `eta`,
    the smaller the steps. For the other arguments see `cppn.keys.Keys.counters`."""
    tile = new_tile()
    for row in range(genes.shape[0]):
        key = child_key(seed, generation, lane, children[row])
        mutate_values(genes[row], 0.0, 1.0, rate, eta, key, tile)
