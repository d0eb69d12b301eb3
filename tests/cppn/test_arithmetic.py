"""The defined arithmetic: accurate, finite, the same bits compiled and in numpy, and compiled to fast code."""

from __future__ import annotations

import platform
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from numpy.typing import NDArray

from cppn.arithmetic import (
    EXPONENTIAL_HIGH,
    EXPONENTIAL_LOW,
    SINE_LIMIT,
    exponential,
    logarithm,
    sine,
)
from cppn.jit import forceinline

Array = NDArray[np.float32]
ODDITIES = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1e-45, -1e-45, 3.4e38, -3.4e38], np.float32)


@forceinline  # a kernel, but not cached: its assembly is looked at
def _sines(x: Array, out: Array) -> None:
    for i in range(len(x)):
        out[i] = sine(x[i])


@forceinline  # a kernel, but not cached: its assembly is looked at
def _exponentials(x: Array, out: Array) -> None:
    for i in range(len(x)):
        out[i] = exponential(x[i])


def _compiled(loop: Callable[[Array, Array], None], x: Array) -> Array:
    out = np.empty_like(x)
    loop(x, out)
    return out


@pytest.mark.parametrize("limit", [1.6, 30.0, 3_000.0, 1e5])
def test_sine_is_accurate_even_where_raw_coordinates_take_it(limit: float) -> None:
    """A failure costs faithful images with raw coordinates: potentials reach thousands there."""
    x = np.linspace(-limit, limit, 1_000_003).astype(np.float32)
    assert np.abs(_compiled(_sines, x) - np.sin(x.astype(np.float64))).max() < 1.2e-7


def test_sine_beyond_its_limit_is_held_not_noise() -> None:
    """A failure costs a bound: what is no sine any more could leave [-1, 1]."""
    far = np.array([SINE_LIMIT, 2e5, 1e9, 3e38, np.inf], np.float32)
    assert (_compiled(_sines, far) == sine(SINE_LIMIT)).all()
    assert (_compiled(_sines, -far) == -sine(SINE_LIMIT)).all()


def test_exponential_is_accurate() -> None:
    """A failure costs the sigmoid, the gaussian and tanh their shape."""
    x = np.linspace(EXPONENTIAL_LOW, EXPONENTIAL_HIGH, 1_000_003).astype(np.float32)
    exact = np.exp(x.astype(np.float64))
    assert (np.abs(_compiled(_exponentials, x) - exact) / exact).max() < 2.5e-7


def test_exponential_is_held_between_the_smallest_normal_number_and_the_largest() -> None:
    """A failure costs an infinity, which becomes a NaN one node later, or slow subnormal numbers."""
    ends = _compiled(_exponentials, np.array([-np.inf, -1e30, np.nan, 1e30, np.inf], np.float32))
    assert (ends[:3] == exponential(EXPONENTIAL_LOW)).all()
    assert (ends[3:] == exponential(EXPONENTIAL_HIGH)).all()
    assert np.finfo(np.float32).tiny <= ends.min()
    assert np.isfinite(ends).all()


@pytest.mark.parametrize("loop, function", [(_sines, sine), (_exponentials, exponential)])
def test_compiled_and_numpy_give_the_same_bits(
    loop: Callable[[Array, Array], None], function: Callable[[Array], Array]
) -> None:
    """A failure costs the reference renderer its use, and equal images on other processors."""
    bits = np.random.default_rng(0).integers(0, 2**32, 200_000, np.uint32)
    near = np.random.default_rng(1).uniform(-200, 200, 200_000).astype(np.float32)
    x = np.concatenate([bits.view(np.float32), near, ODDITIES])
    with np.errstate(all="ignore"):
        assert np.array_equal(_compiled(loop, x).view(np.uint32), function(x).view(np.uint32))


@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="looks for x86's registers")
@pytest.mark.parametrize("loop", [_sines, _exponentials])
def test_loops_are_compiled_to_vectors_without_fused_multiply_adds(loop: Any) -> None:
    """A failure costs a factor of ten in rendering, or bits that differ between processors."""
    _compiled(loop, ODDITIES)
    (assembly,) = loop.inspect_asm().values()
    assert re.search(r"v?mulps\s.*%[xyz]mm", assembly)
    assert not re.search(r"vfn?m(add|sub)", assembly)


@forceinline
def _logarithms(x: NDArray[np.float64], out: NDArray[np.float64]) -> None:
    for i in range(len(x)):
        out[i] = logarithm(x[i])


def test_logarithm_is_within_an_ulp_on_uniform_draws() -> None:
    """A failure costs the distribution of the skips that are drawn with it."""
    words = np.random.default_rng(0).integers(1, 2**32, 500_000)
    x = np.concatenate([words / 2**32, 2.0 ** -np.arange(1000.0), [np.nextafter(1.0, 0.0)]])
    out = np.empty_like(x)
    _logarithms(x, out)
    assert (np.abs(out - np.log(x)) <= np.spacing(np.abs(out))).all()


@given(st.floats(np.finfo(np.float64).tiny, 1.0, allow_subnormal=False))
@example(1.0)
def test_logarithm_of_a_probability_is_not_positive_and_never_falls(x: float) -> None:
    """A failure costs a negative skip: an index before the array."""
    assert logarithm(x) <= 0.0
    assert logarithm(np.nextafter(x, 2.0)) >= logarithm(x)
    assert logarithm(1.0) == 0.0
