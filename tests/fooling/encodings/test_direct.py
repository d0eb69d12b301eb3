"""The direct encoding against the paper's statements and DEAP's operators."""

from __future__ import annotations

import itertools
import random
from typing import Any

import numpy as np
import pytest
from deap import tools
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from cppn.keys import Keys
from fooling import encodings
from fooling.encodings.direct import DirectEncoding, DirectPopulation
from fooling.encodings.settings import DirectSettings


def encoding(size: int = 28, classifier: str = "grey", **settings: Any) -> DirectEncoding:
    made = encodings.create(DirectSettings(**settings), size, classifier)
    assert isinstance(made, DirectEncoding)
    return made


def uniform(count: int, value: float, size: int = 28) -> DirectPopulation:
    """Images of one value."""
    return DirectPopulation(np.full((count, size, size, 1), value, np.float32))


def genes(population: DirectPopulation) -> NDArray[np.float32]:
    return population.flat.copy()


# The first population, and mutation


def test_the_first_genes_are_uniform_noise() -> None:
    """The paper's start: U[0, 1), every gene by itself."""
    keys = Keys.of_generation(4, 0, 60)
    drawn = genes(encoding().initialise(keys))
    assert drawn.min() >= 0
    assert drawn.max() < 1
    assert stats.kstest(drawn.ravel(), "uniform").pvalue > 1e-3
    assert abs(np.corrcoef(drawn[:, :-1].ravel(), drawn[:, 1:].ravel())[0, 1]) < 0.02
    assert len(np.unique(drawn, axis=0)) == 60
    many = genes(encoding(size=64).initialise(keys))
    assert len(np.unique(many[0])) > 4000  # 4,096 genes: no block of draws comes twice


def test_a_tenth_of_the_genes_mutates_and_stays_in_bounds() -> None:
    """The paper's rate and strength; a gene out of [0, 1] would be another pixel."""
    maker = encoding()
    before = maker.initialise(Keys.of_generation(4, 0, 100))
    after = maker.mutate(before.take(range(100)), Keys.of_generation(4, 1, 100))
    changed = genes(after) != genes(before)
    assert stats.binomtest(int(changed.sum()), changed.size, 0.1).pvalue > 1e-3
    assert genes(after).min() >= 0
    assert genes(after).max() <= 1
    size = np.abs(genes(after) - genes(before))[changed]
    assert abs(np.median(size) - 0.0424) < 0.003


def test_steps_ignore_the_bounds_and_are_clipped() -> None:
    """The released form: at the edge half of the steps end on it. DEAP's bounded one never does."""
    after = genes(encoding(mutation_rate=1.0).mutate(uniform(20, 0.01), Keys.of_generation(1, 1, 20)))
    on_edge = (after == 0).mean()
    expected = 0.5 * (1 - 0.01) ** 16  # P(delta <= -0.01)
    assert abs(on_edge - expected) < 0.02


def test_the_mutation_rate_halves() -> None:
    """The paper's schedule: 0.1, and half of it after every 1,000 generations; the release has none."""
    maker = encoding(profile="paper")
    rates = [maker.mutation_rate(generation) for generation in (0, 999, 1000, 1999, 2000, 20_000)]
    assert rates == [0.1, 0.1, 0.05, 0.05, 0.025, 0.1 / 2**20]
    assert encoding().mutation_rate(10**6) == 0.1
    assert maker.mutation_rate(2**32 - 1) == 0
    changed = genes(maker.mutate(uniform(100, 0.5), Keys.of_generation(1, 2500, 100))) != 0.5
    assert stats.binomtest(int(changed.sum()), changed.size, 0.025).pvalue > 1e-3


# Crossover


def crossed(a: float, b: float, pairs: int = 20, **settings: Any) -> tuple[NDArray, NDArray]:
    """Genes of the first and the second siblings of pairs of images of one value each."""
    maker = encoding(**{"crossover": "sbx", "crossover_rate": 1.0, **settings})
    parents = uniform(2 * pairs, a, maker.image_shape[0])
    parents.genes[1::2] = b
    mates = parents.take(np.arange(2 * pairs) ^ 1)
    children = genes(maker.mate(parents, mates, Keys.of_generation(6, 1, 2 * pairs)))
    return children[0::2], children[1::2]


def deaps(a: float, b: float, eta: float, count: int = 20_000) -> tuple[NDArray, NDArray]:
    """Genes of DEAP's two children, where it crossed at all: it leaves half of the genes alone."""
    random.seed(7)
    first, second = tools.cxSimulatedBinaryBounded([a] * count, [b] * count, eta, 0.0, 1.0)
    first, second = np.array(first), np.array(second)
    touched = (first != a) | (second != b)
    assert abs(touched.mean() - 0.5) < 0.02
    return first[touched], second[touched]


@pytest.mark.parametrize("crossover", ["sbx", "sbx-released"])
@pytest.mark.parametrize("eta", [10.0, 2.0])
@pytest.mark.parametrize(("a", "b"), [(0.2, 0.7), (0.9, 0.45), (0.0, 1.0), (0.5, 0.51), (0.0, 0.03)])
def test_crossover_has_deaps_distribution(a: float, b: float, eta: float, crossover: str) -> None:
    """Simulated binary crossover is defined by it; both operators are Deb's bounded code."""
    ours = crossed(a, b, crossover=crossover, crossover_eta=eta)
    theirs = deaps(float(np.float32(a)), float(np.float32(b)), eta)
    for one, other in zip(ours, theirs, strict=True):
        assert stats.ks_2samp(one.ravel(), other.astype(np.float32)).pvalue > 1e-3
    low, high = np.minimum(*ours), np.maximum(*ours)
    their_low, their_high = np.minimum(*theirs), np.maximum(*theirs)
    assert stats.ks_2samp(low.ravel(), their_low.astype(np.float32)).pvalue > 1e-3
    assert stats.ks_2samp((low + high).ravel(), (their_low + their_high).astype(np.float32)).pvalue > 1e-3


def test_the_coin_gives_each_sibling_the_lower_value_half_of_the_time() -> None:
    """And never both the same side: what one does not get, the other gets."""
    first, second = crossed(0.2, 0.8)
    lower = first < second
    assert (first != second).all()
    assert stats.binomtest(int(lower.sum()), lower.size, 0.5).pvalue > 1e-3
    [many], _ = crossed(0.2, 0.8, 1, size=64)
    assert len(np.unique(many)) > 3900  # 4,096 genes: no block of draws comes twice


@given(a=st.floats(0, 1, width=32), b=st.floats(0, 1, width=32), eta=st.floats(0, 1000))
def test_children_stay_in_bounds(a: float, b: float, eta: float) -> None:
    """Also of parents that are all but the same, or at the bounds."""
    for crossover in ("sbx", "sbx-released"):
        children = np.concatenate(crossed(a, b, 2, crossover=crossover, crossover_eta=eta))
        assert ((children >= 0) & (children <= 1)).all()


def test_shared_genes_are_kept_or_become_half() -> None:
    """The release's bug (sferes2 pull request 77), and its fix."""
    close = float(np.nextafter(np.float32(0.3), np.float32(1)))
    for other in (0.3, close):
        first, second = crossed(0.3, other)
        assert (first == np.float32(0.3)).all()
        assert (second == np.float32(other)).all()
        for children in crossed(0.3, other, crossover="sbx-released"):
            assert (children == 0.5).all()


def test_half_of_the_pairs_is_crossed_and_siblings_agree() -> None:
    """A pair is crossed as a whole, or both its children are copies."""
    first, second = crossed(0.2, 0.8, 2000, crossover_rate=0.5, size=3)
    touched = (first != np.float32(0.2)).any(axis=1)
    assert np.array_equal(touched, (second != np.float32(0.8)).any(axis=1))
    assert stats.binomtest(int(touched.sum()), len(touched), 0.5).pvalue > 1e-3
    assert (second[~touched] == np.float32(0.8)).all()


def test_without_crossover_children_are_their_parents() -> None:
    """The paper's text has none."""
    maker = encoding()
    assert not maker.has_crossover
    assert encoding(profile="released").has_crossover
    first, second = crossed(0.2, 0.8, 3, crossover="none")
    assert (first == np.float32(0.2)).all()
    assert (second == np.float32(0.8)).all()


# Contracts


@given(
    cuts=st.sets(st.integers(0, 21)),
    seed=st.integers(0, 2**64 - 1),
    crossover=st.sampled_from(["sbx", "sbx-released"]),
)
def test_children_do_not_depend_on_chunks(cuts: set[int], seed: int, crossover: str) -> None:
    """Else a run on two workers would not be the run on one; a cut may part two siblings."""
    maker, keys = encoding(size=37, crossover=crossover), Keys.of_generation(seed, 5, 21, stream=3)
    parents = maker.initialise(Keys.of_generation(seed, 0, 21))
    other = np.minimum(np.arange(21) ^ 1, 20)

    def breed(rows: slice) -> list[NDArray[np.float32]]:
        chosen = np.arange(21)[rows]
        children = maker.mate(parents.take(chosen), parents.take(other[chosen]), keys[rows])
        return [genes(maker.initialise(keys[rows])), genes(maker.mutate(children, keys[rows]))]

    parts = [breed(slice(a, b)) for a, b in itertools.pairwise([0, *sorted(cuts), 21])]
    for made, whole in zip(zip(*parts, strict=True), breed(slice(0, 21)), strict=True):
        assert np.array_equal(np.concatenate(made), whole)


def test_one_key_per_genotype() -> None:
    """Fewer keys than genotypes would read beyond them."""
    maker = encoding(crossover="sbx")
    keys = Keys.of_generation(0, 0, 2)
    for vary in (
        lambda: maker.mutate(uniform(3, 0.5), keys),
        lambda: maker.mate(uniform(2, 0), uniform(1, 0), keys),
    ):
        with pytest.raises(ValueError, match=r"key per genotype"):
            vary()


# Rendering


def test_quantisation_rounds_or_truncates() -> None:
    """The release writes int(value * 255): only 1.0 itself is white."""
    values = np.array([0.0, 0.499, 0.501, 0.999, 1.0], np.float32)
    for quantisation, expected in (
        ("rounded", [0, 127, 128, 255, 255]),
        ("released", [0, 127, 127, 254, 255]),
    ):
        maker = encoding(size=2, quantisation=quantisation)
        population = DirectPopulation(np.broadcast_to(values[:, None, None, None], (5, 2, 2, 1)).copy())
        assert maker.render(population)[:, 0, 0, 0].tolist() == expected


def test_released_hue_wraps() -> None:
    """1.42 turns: 180 / 255 of the range is one turn, so these two are one colour; rounded they are not."""
    hues = np.array([10, 190], np.float32) / 255 + 1e-4
    pixels = np.stack([hues, np.full(2, 0.5), np.full(2, 1.0)], axis=1).astype(np.float32)
    images = np.broadcast_to(pixels[:, None, None, :], (2, 2, 2, 3)).copy()
    wrapped = encoding(2, "rgb", profile="released").render(DirectPopulation(images))
    assert np.array_equal(wrapped[0], wrapped[1])
    assert len(np.unique(wrapped[0])) > 1
    rounded = encoding(2, "rgb").render(DirectPopulation(images))
    assert not np.array_equal(rounded[0], rounded[1])


def test_grey_images_for_an_rgb_classifier_have_three_equal_channels() -> None:
    """The classifier's image space has three channels."""
    maker = encoding(6, "rgb", colour="grey")
    population = maker.initialise(Keys.of_generation(1, 0, 4))
    assert population.genes.shape == (4, 6, 6, 1)
    images = maker.render(population)
    assert images.shape == (4, *maker.image_shape) == (4, 6, 6, 3)
    assert (images == images[..., :1]).all()


def test_rows_columns_and_channels_stay_where_they_are() -> None:
    """A transposed image is another image."""
    maker = encoding(4, "rgb", colour="rgb")
    population = maker.initialise(Keys.of_generation(1, 0, 3))
    expected = np.floor(population.genes * np.float32(255) + np.float32(0.5)).astype(np.uint8)
    assert np.array_equal(maker.render(population), expected)


def test_direct_images_have_one_size() -> None:
    """Asked for another one, no silent resampling."""
    maker = encoding(6)
    population = maker.initialise(Keys.of_generation(1, 0, 1))
    assert maker.render(population, 6).shape == (1, 6, 6, 1)
    with pytest.raises(ValueError, match="expected 6, found 12"):
        maker.render(population, 12)
