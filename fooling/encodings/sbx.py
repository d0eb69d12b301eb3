"""Simulated binary crossover of real genes (Deb & Agrawal 1995, "Simulated binary crossover for continuous
search space"), in the bounded form of Deb's NSGA-II code (Deb et al. 2002), as sferes2 has it.

Two siblings get values on both sides of the mean of their parents' genes: the higher eta, the closer to the
parents. A coin decides which sibling gets the lower value. Every gene takes part, as in the released code;
DEAP's `cxSimulatedBinaryBounded` leaves half of them alone.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cppn.jit import forceinline, kernel
from cppn.keys import child_key, unit, words_into
from cppn.polynomial import power

TILE = 1024  # genes that are crossed at a time
ALIKE = 1.1920929e-07  # float32's epsilon: the released code takes genes that differ by no more for equal

_ONE = np.uint32(1)


@forceinline
def spread(low: float, high: float, side: float, u: float, eta: float) -> float:
    """The gene of one child, for the parents' genes 0 <= low < high <= 1 and a uniform u in (0, 1).

    Args:
        side: -1.0 for the child near `low`, 1.0 for the child near `high`.
        eta: the distribution index.
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
    """Cross the genes of one tile, in place. LLVM vectorises the loop.

    Args:
        genes, mates: (n,) float32, the genes of the child's parent and of its mate.
        words: (at least n,) uint32, random.
        odd: 1 for the second sibling of a pair, else 0.
        eta, released: as for `cross`.
    """
    kept, middle = np.float32(0.0 if released else 1.0), np.float32(0.5 if released else 0.0)
    for i in range(genes.shape[0]):
        a, b = np.float64(genes[i]), np.float64(mates[i])
        low, high = min(a, b), max(a, b)
        # The lowest bit is the coin, the other 31 bits are the uniform number.
        side = 1.0 - 2.0 * np.float64((words[i] & _ONE) ^ odd)
        u = (np.float64(words[i] >> _ONE) + 0.5) * (1.0 / 2147483648.0)
        child = np.float32(spread(low, high, side, u, eta))  # meaningless, and not used, where they are alike
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

    With probability `rate` a pair of siblings is crossed; otherwise each is a copy of its parent. Siblings
    draw what they have to agree on from the key of their pair, so each can be made without the other.

    Args:
        genes: (N, G) float32 in [0, 1], the parents, overwritten by the children.
        mates: (N, G) float32 in [0, 1], the other parent of each child. Siblings have the same two parents,
            in swapped roles.
        eta: the distribution index: the higher it is, the closer children are to their parents.
        released: whether genes that are equal in both parents become 0.5 (a bug of the released code) or
            stay.
        children: (N,) uint32, the children's numbers; 2i and 2i + 1 are siblings.
        seed, generation, lane: see `cppn.keys.Keys.counters`.
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
