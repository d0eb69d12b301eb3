"""What populations of both encodings share: one suite over both, as the archive makes no difference."""

from __future__ import annotations

import pickle
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cppn.keys import Keys
from fooling import encodings
from fooling.encodings.settings import CppnSettings, DirectSettings
from fooling.errors import InvalidError

ENCODINGS = {
    "cppn": encodings.create(CppnSettings(), 5, "grey"),
    "cppn, colour": encodings.create(CppnSettings(), 5, "rgb"),
    "direct": encodings.create(DirectSettings(), 5, "grey"),
    "direct, colour": encodings.create(DirectSettings(), 5, "rgb"),
}
names = pytest.mark.parametrize("name", ENCODINGS)


def some(name: str, count: int, seed: int = 1) -> Any:
    """Distinct genotypes; CPPNs of several sizes."""
    encoding = ENCODINGS[name]
    population = encoding.initialise(Keys.of_generation(seed, 0, count))
    for generation in range(1, 5):
        population = encoding.mutate(population, Keys.of_generation(seed, generation, count))
    return population


def all_of(population: Any) -> tuple[Any, Any]:
    """As `put` takes it."""
    return population, range(len(population))


def bytes_of(population: Any) -> list[bytes]:
    return [population.canonical_bytes(row) for row in range(len(population))]


@names
@given(rows=st.lists(st.integers(0, 7), max_size=20))
def test_take_gives_the_rows_in_their_order(name: str, rows: list[int]) -> None:
    """A row too far is a child with another's parent."""
    population = some(name, 8)
    taken = population.take(rows)
    assert bytes_of(taken) == [population.canonical_bytes(row) for row in rows]
    assert len(taken) == len(rows)


@names
@given(data=st.data(), length=st.integers(0, 8), new=st.integers(0, 5))
def test_put_replaces_rows_and_extends(name: str, data: st.DataObject, length: int, new: int) -> None:
    """The archive's only way to keep an elite: every other row must stay, however many batches brought them."""
    old = data.draw(st.lists(st.integers(0, length - 1), unique=True)) if length else []
    rows = data.draw(st.permutations([*old, *range(length, length + new)]))
    population, other = some(name, length), some(name, len(rows), seed=2)
    expected = dict(enumerate(bytes_of(population))) | dict(zip(rows, bytes_of(other), strict=True))
    cuts = [0, *sorted(data.draw(st.lists(st.integers(0, len(rows)), max_size=3))), len(rows)]
    result = population.put(rows, *((other, range(low, high)) for low, high in pairwise(cuts)))
    assert bytes_of(result) == [expected[row] for row in range(length + new)]
    assert bytes_of(result.take(range(len(result)))) == bytes_of(result)


@names
def test_put_again_and_again_grows(name: str) -> None:
    """The first generations fill the archive a few elites at a time."""
    population, expected = ENCODINGS[name].empty(), []
    for seed in range(12):
        other = some(name, 1 + seed % 3, seed=seed)
        population = population.put(len(population) + np.arange(len(other)), all_of(other))
        expected += bytes_of(other)
    assert bytes_of(population) == expected


@names
def test_put_refuses_gaps_and_wrong_counts(name: str) -> None:
    """A gap would be a row of chance content that classifies as something."""
    with pytest.raises(ValueError, match="without a gap, from 3 on"):
        some(name, 3).put([1, 4], all_of(some(name, 2)))
    with pytest.raises(ValueError, match="a row per genotype: 2, found 1"):
        some(name, 3).put([1], all_of(some(name, 2)))


@names
def test_taken_rows_are_a_copy(name: str) -> None:
    """Children are changed in place; the elites they were taken from must not be."""
    encoding, population = ENCODINGS[name], some(name, 6)
    before = bytes_of(population)
    keys = Keys.of_generation(9, 9, 6)
    encoding.mutate(population.take(range(6)), keys)
    encoding.mate(population.take(range(6)), population.take(range(6)), keys)
    assert bytes_of(population) == before


@names
@pytest.mark.parametrize("count", [0, 7])
def test_arrays_and_back_is_the_same_population(name: str, count: int) -> None:
    """A checkpoint must restore what it was made of, and what is restored must live on: arrays that were
    read from a file, or came through Ray, can be read-only."""
    encoding, population = ENCODINGS[name], some(name, count)
    arrays = {key: np.array(value) for key, value in population.arrays().items()}
    for array in arrays.values():
        array.flags.writeable = False
    again = encoding.from_arrays(arrays)
    assert bytes_of(again) == bytes_of(population)
    keys = Keys.of_generation(3, 3, count)
    assert bytes_of(encoding.mutate(again, keys)) == bytes_of(
        encoding.mutate(population.take(range(count)), keys)
    )
    if count:
        again = encoding.from_arrays(arrays).put([0], all_of(some(name, 1, seed=5)))
        assert bytes_of(again) == bytes_of(some(name, 1, seed=5)) + bytes_of(population)[1:]


@names
def test_what_travels_is_the_genotypes_and_no_spare_room(name: str) -> None:
    """Executors send populations to other processes: unused room would be sent too."""
    population = some(name, 6).put([6], all_of(some(name, 1)))
    size = sum(array.nbytes for array in population.arrays().values())
    sent = pickle.dumps(population)
    assert len(sent) < size + 2000
    assert bytes_of(pickle.loads(sent)) == bytes_of(population)


@names
@pytest.mark.parametrize("other", ENCODINGS)
def test_arrays_of_another_encoding_are_refused_in_one_line(name: str, other: str) -> None:
    """A run directory whose files were mixed up must not be read as something else."""
    arrays = some(other, 3).arrays()
    if name != other:
        with pytest.raises(InvalidError) as caught:
            ENCODINGS[name].from_arrays(arrays)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "genes",
    [
        np.full((2, 5, 5, 1), 1.01, np.float32),
        np.full((2, 5, 5, 1), -0.01, np.float32),
        np.full((2, 5, 5, 1), np.nan, np.float32),
        np.zeros((2, 5, 5, 1), np.float64),
        np.zeros((2, 25), np.float32),
    ],
)
def test_arrays_that_are_no_genes_are_refused(genes: np.ndarray) -> None:
    """Kernels trust their numbers: what is not in [0, 1] would be some other pixel."""
    with pytest.raises(InvalidError, match="direct genes: expected"):
        ENCODINGS["direct"].from_arrays({"genes": genes})


def test_images_of_another_size_do_not_mix() -> None:
    """numpy would repeat one channel for three without a word."""
    with pytest.raises(ValueError, match=r"images of \(5, 5, 3\), found \(5, 5, 1\)"):
        some("direct, colour", 2).put([0], all_of(some("direct", 1)))


def test_canonical_bytes_of_direct_images_are_the_documented_ones() -> None:
    """The digest of an archive is made of them."""
    population = some("direct, colour", 2)
    shape = np.array([5, 5, 3], "<i4").tobytes()
    assert population.canonical_bytes(1) == shape + population.genes[1].astype("<f4").tobytes()


@pytest.mark.parametrize("name", ENCODINGS)
def test_room_for_more_holds_nothing_yet(name: str) -> None:
    """An archive asks for room for all classes: what is not there yet must not be seen, drawn or saved."""
    population = ENCODINGS[name].empty(room=9)
    assert len(population) == 0
    assert all(len(array) <= 1 for array in population.arrays().values())
    assert bytes_of(population.put([0, 1], all_of(some(name, 2)))) == bytes_of(some(name, 2))


def test_elites_stay_where_they_are_while_there_is_room() -> None:
    """A copy of what is there, for each doubling, would cost as much as a generation."""
    population = ENCODINGS["direct"].empty(room=3).put([0], all_of(some("direct", 1)))
    where = population.genes.__array_interface__["data"]
    assert population.put([1, 2], all_of(some("direct", 2))).genes.__array_interface__["data"] == where
    assert len(population.put([3], all_of(some("direct", 1)))) == 4


def test_more_room_than_the_system_promises() -> None:
    """20,000 classes of large images may never all have an elite: who asks for too much room gets none."""
    assert len(ENCODINGS["direct"].empty(room=2**45).put([0], all_of(some("direct", 1)))) == 1


def test_many_elites_are_not_copied_to_replace_one() -> None:
    """1,000 elites at 256 x 256 are 786 MB: a copy in every generation would cost more than the network."""
    population = some("direct", 50)
    population = population.put([50], all_of(some("direct", 1)))
    where = population.genes.__array_interface__["data"]
    for row in (3, 51, 99):
        population = population.put([min(row, len(population))], all_of(some("direct", 1)))
    assert population.genes.__array_interface__["data"] == where
