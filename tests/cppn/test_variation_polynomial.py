"""Polynomial mutation, against its formula and against DEAP's operator."""

from __future__ import annotations

import random

import numpy as np
import pytest
from deap import tools
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from cppn.jit import kernel
from cppn.keys import MUTATE, Keys, child_key
from cppn.polynomial import mutate_values, new_tile, power, step


@kernel
def powers(x, exponent, out):
    for i in range(len(x)):
        out[i] = power(x[i], exponent)


@kernel
def steps(u, eta, out):
    for i in range(len(u)):
        out[i] = step(u[i], eta)


@kernel
def mutate_rows(values, low, high, rate, eta, seed, generation, lane, children, blocks):
    tile = new_tile()
    for i in range(len(values)):
        key = child_key(seed, generation, lane, children[i])
        blocks[i] = mutate_values(values[i], low, high, rate, eta, key, tile)


def mutated(
    rows: int, length: int, start: float, rate: float, eta: float = 15.0, low: float = 0.0, high: float = 1.0
) -> NDArray[np.float32]:
    """(rows, length) numbers that were all `start`, mutated."""
    values = np.full((rows, length), start, np.float32)
    keys = Keys.of_generation(3, 1, rows)
    mutate_rows(values, low, high, rate, eta, *keys.counters(MUTATE), np.empty(rows, np.int64))
    return values


@given(
    x=st.lists(st.floats(2.0**-33, 1.0), min_size=1, max_size=20),
    exponent=st.one_of(st.floats(1 / 1001, 20.0), st.floats(-1.0, -1 / 1001)),
)
def test_power_is_accurate(x: list[float], exponent: float) -> None:
    """The own arithmetic must not bend the distribution of steps."""
    bases, out = np.array(x), np.empty(len(x))
    powers(bases, exponent, out)
    expected = bases**exponent
    np.testing.assert_allclose(out, expected, rtol=2e-13)


def test_power_of_next_to_nothing_is_next_to_nothing() -> None:
    """Not an overflow, a NaN or a negative number: a crossover of close parents comes here."""
    out = np.empty(2)
    powers(np.array([1e-8, 2.0**-33]), 1001.0, out)
    assert ((out > 0) & (out < 1e-290)).all()


@pytest.mark.parametrize("eta", [0.0, 1.0, 15.0, 20.5, 1000.0])
def test_step_is_debs_formula(eta: float) -> None:
    """Another distribution of steps is another algorithm than the paper's."""
    u = (np.arange(4001) + 0.5) / 4001
    out = np.empty(len(u))
    steps(u, eta, out)
    below, above = (2 * u) ** (1 / (eta + 1)) - 1, 1 - (2 * (1 - u)) ** (1 / (eta + 1))
    np.testing.assert_allclose(out, np.where(u < 0.5, below, above), atol=1e-13)


def test_steps_have_the_stated_size() -> None:
    """The paper's strength 15: a median of 0.04 and a mean of 1/17 of the range."""
    sizes = np.abs(mutated(50, 2000, 0.0, 1.0, low=-1.0, high=1.0) / 2.0)
    assert abs(np.median(sizes) - (1 - 0.5 ** (1 / 16))) < 0.001
    assert abs(sizes.mean() - 1 / 17) < 0.001


@pytest.mark.parametrize("eta", [15.0, 30.0])
def test_steps_are_those_of_deap(eta: float) -> None:
    """DEAP's operator knows the bounds; in the middle of the range that changes its steps by less than
    (1/2)^(eta + 1), so there the two must have one distribution."""
    ours = mutated(20, 500, 0.5, 1.0, eta).ravel()
    random.seed(5)
    theirs = tools.mutPolynomialBounded([0.5] * 10_000, eta, 0.0, 1.0, 1.0)[0]
    assert stats.ks_2samp(ours, theirs).pvalue > 1e-3


@pytest.mark.parametrize("rate", [0.0, 1e-3, 0.1, 0.5, 0.9999, 1.0])
def test_each_number_mutates_with_the_stated_probability(rate: float) -> None:
    """Geometric skipping must be the same as a coin for each number, wherever that number stands."""
    changed = mutated(500, 400, 0.5, rate) != np.float32(0.5)
    count = int(changed.sum())
    # A step below float32's resolution leaves its number as it was: 1e-6 of them.
    assert stats.binomtest(count, changed.size, min(max(rate, 1e-9), 1 - 3e-6)).pvalue > 1e-3
    if 0 < rate < 1:
        by_place = changed.reshape(500, 10, 40).sum(axis=(0, 2))
        assert stats.chisquare(by_place).pvalue > 1e-3
        follows = (changed[:, 1:] & changed[:, :-1]).sum()
        assert abs(follows - rate**2 * 500 * 399) < 5 * np.sqrt(500 * 399) * max(rate, 0.03)


@pytest.mark.parametrize("rate", [1e-12, 1e-300])
def test_tiny_rates_mutate_nothing_and_end(rate: float) -> None:
    """A rate that was halved for long must neither overflow nor loop."""
    assert (mutated(100, 100, 0.5, rate) == 0.5).all()


@given(
    seed=st.integers(0, 2**64 - 1),
    rate=st.floats(0, 1),
    eta=st.floats(0, 1000),
    low=st.floats(-100, 0, width=32),
    width=st.floats(0.001, 100),
)
def test_numbers_stay_in_bounds(seed: int, rate: float, eta: float, low: float, width: float) -> None:
    """A gene out of bounds is a pixel that wraps around."""
    low32, high32 = np.float32(low), np.float32(low + width)
    values = np.linspace(low32, high32, 60, dtype=np.float32).reshape(3, 20)
    keys = Keys.of_generation(seed, 0, 3)
    blocks = np.empty(3, np.int64)
    mutate_rows(values, float(low32), float(high32), rate, eta, *keys.counters(MUTATE), blocks)
    assert ((values >= low32) & (values <= high32)).all()
    assert (blocks > 0).all()
