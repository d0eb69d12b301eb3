"""Simulated binary crossover of real genes (Deb & Agrawal 1995, "Simulated binary crossover for continuous
search space"), in the bounded form of Deb's NSGA-II code (Deb et al. 2002), as sferes2 has it.

Each gene of a pair of parents is spread around their mean, the closer to the parents the higher eta, and a
coin says which sibling gets the lower value. Unlike DEAP's `cxSimulatedBinaryBounded`, which leaves half of
the genes alone, every gene takes part (as in the release).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cppn.jit import forceinline, kernel
from cppn.keys import child_key, unit, words_into
from cppn.polynomial import power

TILE = 1024
ALIKE = 1.1920929e-07  # float32's epsilon: genes that differ by no more are the same to the release

_ONE = np.uint32(1)


@forceinline
def spread(low: float, high: float, side: float, u: float, eta: float) -> float:
    """The child's gene beside two parental genes, 0 <= low < high <= 1, for u in (0, 1).

    Args:
        side: -1.0 for the gene around the lower one, 1.0 for the one around the higher.
    """
    distance = high - low
    room = low if side < 0.0 else 1.0 - high
    alpha = 2.0 - power(distance / (distance + 2.0 * room), eta + 1.0)
    area = u * alpha
    inside = area <= 1.0
    beta = power(area if inside else 2.0 - area, (1.0 if inside else -1.0) / (eta + 1.0))
    return min(max(0.5 * (low + high + side * beta * distance), 0.0), 1.0)


@forceinline
def cross_tile(
    genes: NDArray[np.float32],
    mates: NDArray[np.float32],
    words: NDArray[np.uint32],
    odd: np.uint32,
    eta: float,
    released: bool,
) -> None:
    """Cross some genes of one row, in place; arguments as for `cross`. LLVM vectorises the loop."""
    kept, middle = np.float32(0.0 if released else 1.0), np.float32(0.5 if released else 0.0)
    for i in range(genes.shape[0]):
        a, b = np.float64(genes[i]), np.float64(mates[i])
        low, high = min(a, b), max(a, b)
        # The lowest bit is the coin, the other 31 are the number.
        side = 1.0 - 2.0 * np.float64((words[i] & _ONE) ^ odd)
        u = (np.float64(words[i] >> _ONE) + 0.5) * (1.0 / 2147483648.0)
        child = np.float32(spread(low, high, side, u, eta))  # of no meaning where they are alike
        genes[i] = child if high - low > ALIKE else kept * genes[i] + middle


@kernel
def cross(
    genes: NDArray[np.float32],
    mates: NDArray[np.float32],
    rate: float,
    eta: float,
    released: bool,
    seed: np.uint64,
    generation: int,
    lane: int,
    children: NDArray[np.uint32],
) -> None:
    """Turn parents into children, in place.

    With probability `rate` a pair of siblings is crossed, else each stays its parent's copy. What siblings
    share, they draw from the key of their pair, so each can be made without the other.

    Args:
        genes: (N, G) float32 in [0, 1], of the parents.
        mates: (N, G) float32 in [0, 1]; a sibling has the same two parents in swapped roles.
        released: genes that the parents share become 0.5 (the release's bug), instead of staying.
        children: (N,) uint32, the children's numbers: 2i and 2i + 1 are siblings.
    """
    words = np.empty(TILE, np.uint32)
    for row in range(genes.shape[0]):
        key = child_key(seed, generation, lane, children[row] >> _ONE)
        odd = children[row] & _ONE
        words_into(key, 0, words[:4])
        if unit(words[0]) >= rate:
            continue
        for first in range(0, genes.shape[1], TILE):
            words_into(key, 1 + first // 4, words)
            own, other = genes[row, first : first + TILE], mates[row, first : first + TILE]
            cross_tile(own, other, words, odd, eta, released)
