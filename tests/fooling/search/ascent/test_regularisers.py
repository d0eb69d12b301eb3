"""Each regulariser does what its paper says, and nothing where it is off."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter
from torch import Tensor

from cppn.keys import Keys
from fooling.search.ascent.regularisers import (
    blurred,
    lowest,
    regularise,
    shifted,
    shifts,
    total_variation,
    variation_gradient,
)
from fooling.search.settings import GradientAscentSettings


def images(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))


def after(given_images: Tensor, gradients: Tensor | None = None, number: int = 0, **values: Any) -> Tensor:
    changed = given_images.clone()
    gradients = torch.ones_like(changed) if gradients is None else gradients
    regularise(GradientAscentSettings(**values), changed, gradients, torch.full((1, 1, 1), 0.4), number)
    return changed


def test_off_by_default_but_for_the_projection() -> None:
    """A regulariser that is never quite off would spoil the unregularised baseline."""
    wild = 3 * images(2, 5, 5, 3) - 1
    assert torch.equal(after(wild), wild.clamp(0, 1))


def test_decay_pulls_towards_the_mean() -> None:
    """Multiplicative on X = image - mean, as the authors': a gradient step on decay / 2 |X|^2."""
    before = images(2, 5, 5, 3)
    assert torch.allclose(after(before, decay=0.25), 0.4 + 0.75 * (before - 0.4), atol=1e-7)


@given(radius=st.floats(0.3, 4), height=st.integers(1, 9), width=st.integers(1, 9))
def test_blur_is_scipy_s(radius: float, height: int, width: int) -> None:
    """The authors' call, edges and all, also where the kernel is wider than the image."""
    values = images(2, height, width, 3, seed=height)
    for found, image in zip(blurred(values, radius), values.double().numpy(), strict=True):
        expected = gaussian_filter(image, (radius, radius, 0))
        assert np.allclose(found.numpy(), expected, atol=1e-6)


def test_blur_every_so_many_steps() -> None:
    before = images(1, 6, 6, 1)
    found = [after(before, number=n, blur_radius=1.0, blur_every=3) for n in range(4)]
    assert [torch.equal(each, before) for each in found] == [False, True, True, False]


def test_clipping_of_small_norms() -> None:
    before = images(2, 10, 10, 3)
    found = after(before, small_norm=30)
    norms = (before - 0.4).norm(dim=3).flatten(1)
    clipped = (found == 0.4).all(3).flatten(1)
    assert clipped.sum(1).tolist() == [30, 30]
    for row in range(2):
        assert norms[row][clipped[row]].max() < norms[row][~clipped[row]].min()
    assert torch.equal(found[~(found == 0.4).all(3)], before[~(found == 0.4).all(3)])


def test_clipping_of_small_contributions() -> None:
    """|sum over channels of X times its gradient| (Yosinski 2015); the scale of the gradient is free."""
    before, gradients = images(2, 10, 10, 3), images(2, 10, 10, 3, seed=1) - 0.5
    found = after(before, gradients, small_contribution=20)
    contributions = ((before - 0.4) * gradients).sum(3).abs().flatten(1)
    clipped = (found == 0.4).all(3).flatten(1)
    assert clipped.sum(1).tolist() == [20, 20]
    for row in range(2):
        assert contributions[row][clipped[row]].max() < contributions[row][~clipped[row]].min()
    assert torch.equal(after(before, 1e-9 * gradients, small_contribution=20), found)


def test_of_equal_pixels_none_is_singled_out() -> None:
    """A flat start would lose an arbitrary part of its pixels."""
    assert not lowest(torch.ones(1, 4, 4), 50).any()


def test_total_variation_is_descended() -> None:
    before = images(2, 8, 8, 3)
    found = after(before, total_variation=0.01)
    assert torch.allclose(found, (before - 0.01 * variation_gradient(before)).clamp(0, 1))
    assert (total_variation(found) < total_variation(before)).all()


def test_total_variation_of_a_step_is_its_height_times_its_length() -> None:
    step = torch.zeros(1, 6, 8, 1)
    step[:, :, 4:] = 1.0
    assert total_variation(step).item() == pytest.approx(6, abs=0.05)


def test_jitter_is_keyed_by_climb_and_step() -> None:
    """Were it drawn for the batch, a climb would depend on its neighbours."""
    keys = Keys.of_generation(5, 0, 40)
    drawn = shifts(keys, 3, 4)
    assert np.array_equal(shifts(Keys.of_generation(5, 7, 40)[10:20], 3, 4), drawn[10:20])
    assert not np.array_equal(shifts(keys, 4, 4), drawn)
    assert sorted(np.unique(drawn)) == list(range(-4, 5))


def test_what_is_shifted_back_is_as_before() -> None:
    before, by = images(3, 7, 5, 2), np.array([[1, -2], [0, 0], [-3, 4]])
    there = shifted(before, by)
    assert torch.equal(there[0], before[0].roll((1, -2), (0, 1)))
    assert torch.equal(shifted(there, -by), before)
