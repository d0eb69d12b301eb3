"""The three rules do what they say."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from fooling.search.ascent import rules
from fooling.search.ascent.objective import Objective
from fooling.search.settings import GradientAscentSettings

LOG = Objective("probability", "logits")  # its guide is log p


def settings(**values: Any) -> GradientAscentSettings:
    return GradientAscentSettings(**values)


@given(
    confidence=st.floats(0, 1, width=32),
    size=st.sampled_from([0.0, 1e-12, 1e-3, 1.0, 1e8]),
    name=st.sampled_from(["probability", "log-probability", "logit"]),
)
def test_progress_gains_what_it_aims_at_and_no_step_is_too_long(
    confidence: float, size: float, name: str
) -> None:
    """To first order; whatever the probability and the gradient, or an image would fill with NaN."""
    objective = Objective(name, "logits")
    given_settings = settings(objective=name, early=0.03, late=0.1, longest=0.02)
    gradients = size * torch.randn((1, 3, 3, 2), generator=torch.Generator().manual_seed(1))
    p = torch.tensor([confidence], dtype=torch.float32)
    rate = rules.progress(given_settings, objective, gradients, p)
    assert torch.isfinite(rate).all()
    norm = float(gradients.double().norm())
    length = float(rate) * norm
    longest = 0.02 * math.sqrt(18)
    aim = min(0.03, 0.1 * (1 - float(p)))
    assert length <= longest * (1 + 1e-5)
    slope = float(objective.probability_per_guide(p)) * norm
    if slope > 1e-30 and aim / slope < longest:
        assert length * slope == pytest.approx(aim, rel=1e-4)
    elif size and aim > 1e-6:
        assert length == pytest.approx(longest, rel=1e-4)


def test_progress_is_the_authors_rule() -> None:
    """min(max_lr, desired / |g|^2) times g, g the gradient of the probability itself."""
    guide = torch.randn((2, 4, 4, 3), generator=torch.Generator().manual_seed(2))
    p = torch.tensor([0.4, 0.95])
    rate = rules.progress(settings(early=0.03, late=0.1, longest=1.0), LOG, guide, p)
    g = guide * p.view(-1, 1, 1, 1)
    desired = torch.tensor([0.03, 0.1 * (1 - 0.95)])
    theirs = (desired / g.flatten(1).square().sum(1)).view(-1, 1, 1, 1) * g
    assert torch.allclose(rate.view(-1, 1, 1, 1) * guide, theirs, rtol=1e-4)


def test_constant_multiplies_the_objective_s_own_gradient() -> None:
    images, p = torch.zeros(2, 2, 2, 1), torch.tensor([0.25, 0.5])
    rules.step(settings(rule="constant", rate=0.1), LOG, images, torch.ones(2, 2, 2, 1), p, None, 0)
    assert torch.allclose(images[:, 0, 0, 0], 0.1 * p)


def test_adam_is_that_of_torch() -> None:
    """An oracle for its corrections of the first steps, which are easily got wrong."""
    ours = torch.full((2, 3, 3, 1), 0.5)
    theirs = ours.clone().requires_grad_()
    optimiser = torch.optim.Adam([theirs], lr=0.03, maximize=True)
    moments = (torch.zeros_like(ours), torch.zeros_like(ours))
    generator, p = torch.Generator().manual_seed(3), torch.tensor([0.2, 0.7])
    for number in range(12):
        guide = torch.randn(ours.shape, generator=generator)
        theirs.grad = guide * p.view(-1, 1, 1, 1)
        optimiser.step()
        rules.step(settings(rule="adam", rate=0.03), LOG, ours, guide, p, moments, number)
    assert torch.allclose(ours, theirs.detach(), atol=1e-6)
