"""Randomness is a pure function of a child's key (contract 3): else results would depend on the machine."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from cppn.jit import kernel
from cppn.keys import INITIALISE, MATE, MUTATE, SELECT, Keys, below, centred, child_key, philox, words_into

LAST = 2**32 - 1

# Random123's kat_vectors for philox4x32-10: counter, key, answer.
KNOWN_ANSWERS = [
    ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    ((LAST, LAST, LAST, LAST), (LAST, LAST), (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
]


@kernel
def one_block(seed, generation, lane, child, block):
    return philox(seed, generation, lane, child, block)


@kernel
def many_words(seed, generation, lane, child, block, out):
    words_into(child_key(seed, generation, lane, child), block, out)


@kernel
def numbers_below(words, count, out):
    for i in range(len(words)):
        out[i] = below(words[i], count)


@kernel
def centres(words, out):
    for i in range(len(words)):
        out[i] = centred(words[i])


@pytest.mark.parametrize(("counter", "key", "answer"), KNOWN_ANSWERS)
def test_philox_gives_the_known_answers_of_random123(counter, key, answer) -> None:
    """Else this is some other generator, whose quality nobody has tested."""
    block, child, generation, lane = counter
    seed = np.uint64(key[0] | key[1] << 32)
    assert tuple(int(word) for word in one_block(seed, generation, lane, child, block)) == answer


@given(
    seed=st.integers(0, 2**64 - 1),
    generation=st.integers(0, LAST),
    stream=st.integers(0, 2**24 - 1),
    child=st.integers(0, LAST),
    first=st.integers(0, 1000),
)
def test_words_are_those_of_the_blocks(
    seed: int, generation: int, stream: int, child: int, first: int
) -> None:
    """The vectorised loop must not be another generator than the one that was checked."""
    keys = Keys(seed, generation, np.array([child], np.uint32), stream)
    key = keys.counters(MUTATE)
    words = np.empty(24, np.uint32)
    many_words(*key[:3], key[3][0], first, words)
    blocks = [one_block(*key[:3], key[3][0], first + i) for i in range(6)]
    assert words.tolist() == [int(word) for block in blocks for word in block]
    if first == 0:
        assert keys.uniform(MUTATE, 24)[0].tolist() == (words / 2**32).tolist()


@given(cuts=st.sets(st.integers(0, 50)), draws=st.integers(0, 9))
def test_uniform_does_not_depend_on_chunks(cuts: set[int], draws: int) -> None:
    """Else a run on two workers would not be the run on one."""
    keys = Keys.of_generation(11, 3, 50, stream=2)
    edges = [0, *sorted(cuts), 50]
    parts = [keys[a:b].uniform(SELECT, draws) for a, b in itertools.pairwise(edges)]
    assert np.array_equal(np.concatenate(parts), keys.uniform(SELECT, draws))


def test_every_part_of_a_key_changes_the_draws() -> None:
    """Else two islands, generations or purposes would repeat each other's luck."""
    children = np.arange(2, dtype=np.uint32)
    draws = [
        Keys(seed, generation, children, stream).uniform(purpose, 4)
        for seed in (0, 1, 2**32, 2**63)
        for generation in (0, 1)
        for stream in (0, 1)
        for purpose in (INITIALISE, SELECT, MATE, MUTATE)
    ]
    rows = np.concatenate(draws)
    assert len(np.unique(rows, axis=0)) == len(rows)


def test_siblings_share_the_key_of_their_pair() -> None:
    """Else one sibling could not know what the other one got."""
    draws = Keys.of_generation(5, 1, 7).pairs().uniform(MATE, 3)
    assert np.array_equal(draws[0:6:2], draws[1:7:2])
    assert len(np.unique(draws, axis=0)) == 4


def test_uniform_is_uniform() -> None:
    """A skewed draw would favour some parents, genes and edits."""
    draws = Keys.of_generation(9, 0, 200).uniform(SELECT, 101)
    assert draws.min() >= 0
    assert draws.max() < 1
    assert stats.kstest(draws.ravel(), "uniform").pvalue > 1e-3


def test_bounded_numbers_are_uniform_and_in_range() -> None:
    """An index out of range is memory that is not ours: kernels do not check."""
    words = np.array([0, 1, LAST // 2, LAST - 1, LAST], np.uint32)
    for count in (1, 3, 2**20, 2**31):
        out = np.empty(5, np.int64)
        numbers_below(words, count, out)
        assert out[0] == 0
        assert out[-1] == count - 1
    words = np.random.default_rng(0).integers(0, 2**32, 30_000, dtype=np.uint32)
    out = np.empty(len(words), np.int64)
    numbers_below(words, 7, out)
    assert stats.chisquare(np.bincount(out, minlength=7)).pvalue > 1e-3


def test_centred_numbers_leave_out_both_ends() -> None:
    """Their logarithm is taken: zero would be an infinite gap."""
    out = np.empty(2)
    centres(np.array([0, LAST], np.uint32), out)
    assert 0 < out[0] < out[1] < 1


def test_generators_repeat_and_differ_by_child_and_purpose() -> None:
    """A user's numpy operator must be as repeatable as ours."""
    keys = Keys.of_generation(2**64 - 1, 3, 4, stream=7)
    first = keys.generator(1).random(5)
    assert np.array_equal(first, keys[1:].generator(0).random(5))
    others = [keys.generator(2), keys.generator(1, MUTATE), Keys.of_generation(0, 3, 4, 7).generator(1)]
    assert all(not np.array_equal(first, other.random(5)) for other in others)
