"""Counter-based randomness, keyed per child: Philox4x32-10 (Salmon et al. 2011, "Parallel random
numbers: as easy as 1, 2, 3", SC'11).

A draw is a pure function of (seed, stream, generation, child, purpose, index). Nothing is kept between
draws, so a child's randomness does not depend on which worker makes it, nor on how the children of a
generation are cut into chunks. The 64-bit seed is the cipher's key; the counter's four words are

    [draw index, child, generation, stream << 8 | purpose]

so 2^24 streams, 2^32 generations, 2^32 children and 2^32 blocks of four 32-bit words are told apart.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cppn.jit import inline, kernel

# What a draw is for. A user's own operator may use any number from USER to 255.
INITIALISE, SELECT, MATE, MUTATE, USER = 0, 1, 2, 3, 128

_MUL_0, _MUL_1 = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
_WEYL_0, _WEYL_1 = np.uint64(0x9E3779B9), np.uint64(0xBB67AE85)
_LOW, _SHIFT = np.uint64(0xFFFFFFFF), np.uint64(32)
_UNIT = 1.0 / 4294967296.0


@inline
def philox(
    seed: int, generation: int, lane: int, child: int, block: int
) -> tuple[np.uint64, np.uint64, np.uint64, np.uint64]:
    """Four 32-bit words (held in uint64) of block `block`; `lane` is stream << 8 | purpose."""
    k0, k1 = np.uint64(seed) & _LOW, np.uint64(seed) >> _SHIFT
    c0, c1 = np.uint64(block) & _LOW, np.uint64(child) & _LOW
    c2, c3 = np.uint64(generation) & _LOW, np.uint64(lane) & _LOW
    for _ in range(10):
        p0, p1 = _MUL_0 * c0, _MUL_1 * c2
        c0, c1, c2, c3 = (p1 >> _SHIFT) ^ c1 ^ k0, p1 & _LOW, (p0 >> _SHIFT) ^ c3 ^ k1, p0 & _LOW
        k0, k1 = (k0 + _WEYL_0) & _LOW, (k1 + _WEYL_1) & _LOW
    return c0, c1, c2, c3


@inline
def unit(word: int) -> float:
    """A 32-bit word as a float64 in [0, 1)."""
    return np.float64(word) * _UNIT


@kernel
def _fill(
    seed: int, generation: int, lane: int, children: NDArray[np.uint32], out: NDArray[np.float64]
) -> None:
    draws = out.shape[1]
    for row in range(out.shape[0]):
        for block in range((draws + 3) // 4):
            words = philox(seed, generation, lane, children[row], block)
            for j in range(min(4, draws - 4 * block)):
                out[row, 4 * block + j] = unit(words[j])


@dataclass(frozen=True)
class Keys:
    """The keys of some children of one generation.

    Attributes:
        seed: the run's seed, in [0, 2^64).
        stream: the island, in [0, 2^24).
        generation: in [0, 2^32).
        children: (n,) uint32, the children's numbers within the generation.
    """

    seed: int
    generation: int
    children: NDArray[np.uint32]
    stream: int = 0

    @classmethod
    def of_generation(cls, seed: int, generation: int, count: int, stream: int = 0) -> Keys:
        """Keys of the children 0 .. count - 1."""
        return cls(seed, generation, np.arange(count, dtype=np.uint32), stream)

    def __len__(self) -> int:
        return len(self.children)

    def __getitem__(self, rows: slice) -> Keys:
        return Keys(self.seed, self.generation, self.children[rows], self.stream)

    def chunks(self, size: int) -> Iterator[Keys]:
        """These keys, cut into runs of at most `size` children."""
        for start in range(0, len(self), size):
            yield self[start : start + size]

    def pairs(self) -> Keys:
        """Keys that the children 2i and 2i + 1 share: what two siblings must draw alike."""
        return Keys(self.seed, self.generation, self.children >> np.uint32(1), self.stream)

    def lane(self, purpose: int) -> int:
        """The counter's last word: stream << 8 | purpose."""
        return self.stream << 8 | purpose

    def uniform(self, purpose: int, draws: int) -> NDArray[np.float64]:
        """Uniform numbers in [0, 1), shape (n, draws), on a grid of 2^-32."""
        out = np.empty((len(self), draws))
        _fill(np.uint64(self.seed), self.generation, self.lane(purpose), self.children, out)
        return out

    def generator(self, row: int, purpose: int = USER) -> np.random.Generator:
        """A numpy generator for one child: the convenient way for operators written in plain numpy."""
        counter = [0, int(self.children[row]), self.generation, self.lane(purpose)]
        return np.random.Generator(np.random.Philox(key=[self.seed, 0], counter=counter))
