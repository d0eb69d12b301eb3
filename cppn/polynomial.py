"""Deb's polynomial mutation of real numbers (Deb & Agrawal 1999, "A niched-penalty approach for constraint
handling in genetic algorithms"), in the simple form of sferes2 that the paper's experiments use (Nguyen
2015, section 1 and released code): the step does not know the bounds, the sum is clipped.

Which numbers mutate is drawn by geometric skipping (Devroye 1986, "Non-uniform random variate generation",
X.2): the gap to the next mutation is drawn instead of a coin for each number, so that the cost grows with the
mutations and not with the numbers. Random words, gaps and steps are made a tile at a time, in loops that LLVM
vectorises. All of it is plain IEEE arithmetic, so the bits are the same on every machine.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cppn.arithmetic import LN2_HIGH, LN2_LOW, logarithm
from cppn.jit import forceinline
from cppn.keys import ChildKey, centred, words_into

STEPS = 16  # mutations in a tile

_LOG2_E = 1.44269504088896340736
_ROUND = (
    6755399441055744.0  # 1.5 * 2^52: adding it rounds a number to an integer, which stands in the low bits
)
_BIAS, _EXPONENT = np.int64(1023), np.int64(52)


class Tile(NamedTuple):
    """Scratch arrays for STEPS mutations.

    Attributes:
        words: (2 * STEPS,) uint32: for each mutation, the random word for its gap and the one for its step.
        gaps: (STEPS,) float64: how many numbers are left alone before each mutation.
        steps: (STEPS,) float64 in (-1, 1): the change, as a share of the width of the interval.
    """

    words: NDArray[np.uint32]
    gaps: NDArray[np.float64]
    steps: NDArray[np.float64]


@forceinline
def new_tile() -> Tile:
    """An uninitialised tile, made inside a kernel."""
    return Tile(np.empty(2 * STEPS, np.uint32), np.empty(STEPS), np.empty(STEPS))


@forceinline
def power(x: float, exponent: float) -> float:
    """x ** exponent for x in (0, 1], for results below 1e300; results below 1e-300 become about 1e-300."""
    y = max(logarithm(x) * exponent, -690.0)
    shifted = y * _LOG2_E + _ROUND
    n = shifted - _ROUND
    r = (y - n * LN2_HIGH) - n * LN2_LOW  # y = n log(2) + r, |r| <= log(2) / 2
    p = 1.0 / 6227020800.0
    p = p * r + 1.0 / 479001600.0
    p = p * r + 1.0 / 39916800.0
    p = p * r + 1.0 / 3628800.0
    p = p * r + 1.0 / 362880.0
    p = p * r + 1.0 / 40320.0
    p = p * r + 1.0 / 5040.0
    p = p * r + 1.0 / 720.0
    p = p * r + 1.0 / 120.0
    p = p * r + 1.0 / 24.0
    p = p * r + 1.0 / 6.0
    p = p * r + 0.5
    p = p * r + 1.0
    p = p * r + 1.0
    return p * np.int64((np.float64(shifted).view(np.int64) + _BIAS) << _EXPONENT).view(np.float64)


@forceinline
def step(u: float, eta: float) -> float:
    """The step of a polynomial mutation, in (-1, 1), for a uniform u in (0, 1): negative for u below 1/2."""
    tail = 2.0 * min(u, 1.0 - u)
    size = 1.0 - power(tail, 1.0 / (eta + 1.0))
    return -size if u < 0.5 else size


@forceinline
def gap_scale(rate: float) -> float:
    """1 / log(1 - rate): the factor from the logarithm of a uniform number to a geometric gap."""
    if rate >= 1.0:
        return -0.0
    return 1.0 / (-rate if rate < 1e-8 else logarithm(1.0 - rate))


@forceinline
def mutate_values(
    values: NDArray[np.float32], low: float, high: float, rate: float, eta: float, key: ChildKey, tile: Tile
) -> int:
    """Mutate each number with probability `rate`, in place, clipped to [low, high].

    Args:
        values: (n,) float32.
        eta: the distribution index: the higher it is, the smaller the steps.
        key: the child whose random words are used, from block 0 on.
        tile: scratch arrays.

    Returns:
        The child's first block of random words that was not used.
    """
    scale, width, size = gap_scale(rate), high - low, np.float64(values.shape[0])
    block = 0
    place = -1.0  # a float, because the gaps of tiny rates exceed every integer
    while place < size:
        words_into(key, block, tile.words)
        block += STEPS // 2
        for i in range(STEPS):
            tile.gaps[i] = np.floor(logarithm(centred(tile.words[2 * i])) * scale)
            tile.steps[i] = step(centred(tile.words[2 * i + 1]), eta)
        for i in range(STEPS):
            place += tile.gaps[i] + 1.0
            if place >= size:
                break
            index = np.int64(place)
            moved = np.float64(values[index]) + width * tile.steps[i]
            values[index] = np.float32(min(max(moved, low), high))
    return block
