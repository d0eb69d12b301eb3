"""The packed population: its one byte form, and the arrays that files hold. (What it shares with direct
populations is in tests/fooling/encodings.)"""

from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cppn.keys import Keys
from cppn.population import Population, concatenate, empty
from cppn.variation import Rates, initialise, mutate


def some(count: int, outputs: int = 1, seed: int = 1, generations: int = 6) -> Population:
    population = initialise(Keys.of_generation(seed, 0, count), outputs, Rates())
    for generation in range(1, generations):
        population = mutate(population, Keys.of_generation(seed, generation, count), Rates())
    return population


def test_canonical_bytes_are_the_documented_ones() -> None:
    """The digest of an archive is made of them: another layout is another digest for the same elites."""
    population = Population(
        1,
        np.array([0, 1, 3]),
        np.array([0, 1, 3]),
        np.array([2, 0, 3], np.uint8),
        np.array([0, 3, 5], np.int32),
        np.array([4, 5, 4], np.int32),
        np.array([1.5, -2.5, 10], np.float32),
    )
    expected = struct.pack("<3i", 1, 2, 2) + bytes([0, 3]) + struct.pack("<4i2f", 3, 5, 5, 4, -2.5, 10.0)
    assert population.canonical_bytes(1) == expected


def test_canonical_bytes_tell_genotypes_apart() -> None:
    """Two elites with one digest could be swapped unnoticed."""
    population = some(200, 3)
    assert len({population.canonical_bytes(row) for row in range(200)}) == 200


@given(count=st.integers(0, 9), outputs=st.sampled_from([1, 3]), seed=st.integers(0, 2**32))
def test_arrays_and_back_is_the_same_population(count: int, outputs: int, seed: int) -> None:
    """A checkpoint must restore what it was made of."""
    population = some(count, outputs, seed)
    arrays = {name: array.copy() for name, array in population.arrays().items()}
    again = Population.from_arrays(arrays)
    assert len(again) == count
    assert again.outputs == outputs
    for row in range(count):
        assert again.canonical_bytes(row) == population.canonical_bytes(row)


def test_nodes_and_edges_count_what_each_genotype_owns() -> None:
    """Statistics of complexity are read from them."""
    population = some(20, 3)
    for row in range(20):
        one = population.take([row])
        assert (population.nodes[row], population.edges[row]) == (len(one.activations), len(one.sources))


@pytest.mark.parametrize("rows, found", [([3], "3 to 3"), ([0, -1], "-1 to 0"), ([0, 1, 9], "0 to 9")])
def test_rows_that_are_not_there_are_refused(rows: list[int], found: str) -> None:
    """The kernel would read beyond its arrays: a child of nobody."""
    with pytest.raises(IndexError, match=f"expected rows from 0 to 2, found {found}"):
        some(3).take(rows)
    with pytest.raises(IndexError, match="expected rows from 0 to -1"):
        empty(1).take([0])


def test_concatenation_keeps_order() -> None:
    """A part out of order is a child with another's confidence."""
    parts = [some(3), empty(1), some(4, seed=2)]
    whole = concatenate(parts)
    expected = [part.canonical_bytes(row) for part in parts for row in range(len(part))]
    assert [whole.canonical_bytes(row) for row in range(len(whole))] == expected


def test_populations_of_different_outputs_do_not_mix() -> None:
    """A grey genotype read as a coloured one indexes beyond its arrays."""
    with pytest.raises(ValueError, match=r"one number of outputs, found \[1, 3\]"):
        concatenate([some(1), some(1, 3)])
    with pytest.raises(ValueError, match="one number of outputs"):
        some(2).put([0], (some(1, 3), [0]))
