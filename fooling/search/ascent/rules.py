"""How far a step goes along the gradient.

`progress` is the authors' rule (Nguyen 2015, released code): to first order, each step gains `early` in
probability, and near the top `late` of what is missing. `constant` is plain gradient ascent. `adam` is that
of Kingma & Ba 2015, "Adam: a method for stochastic optimization", algorithm 1.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from fooling.search.ascent.objective import Objective
from fooling.search.settings import GradientAscentSettings

ADAM_MOMENTS = (0.9, 0.999)
ADAM_EPSILON = 1e-8
_TINY = torch.finfo(torch.float32).tiny


def step(
    settings: GradientAscentSettings,
    objective: Objective,
    images: Tensor,
    gradients: Tensor,
    confidence: Tensor,
    moments: tuple[Tensor, Tensor] | None,
    number: int,
) -> None:
    """Take a step, in place.

    Args:
        images: (n, H, W, C) float32, changed.
        gradients: (n, H, W, C) float32, of the objective's guide.
        confidence: (n,) float32, of the class that is climbed.
        moments: two of the images' shape, changed; None unless the rule is `adam`.
        number: steps taken before.
    """
    if moments is not None:
        _adam(images, gradients * _column(objective.scale(confidence)), moments, settings.rate, number)
        return
    if settings.rule == "constant":
        rate = settings.rate * objective.scale(confidence)
    else:
        rate = progress(settings, objective, gradients, confidence)
    images.addcmul_(gradients, _column(rate))


def progress(
    settings: GradientAscentSettings, objective: Objective, gradients: Tensor, confidence: Tensor
) -> Tensor:
    """(n,) float32: what to multiply the guide's gradients by. In the authors' words min(early, late (1 - p))
    over the squared norm of the probability's gradient; but no step is longer than `longest`, where theirs
    bounds the factor: from a probability of 1e-6 a straight line to +0.03 leads out of the image."""
    desired = (settings.late * (1.0 - confidence)).clamp_max(settings.early)
    norm = torch.linalg.vector_norm(gradients.flatten(1), dim=1)
    slope = objective.probability_per_guide(confidence) * norm
    bound = settings.longest * math.sqrt(gradients[0].numel())
    length = (desired / slope.clamp_min(_TINY)).clamp_max(bound)
    return torch.where(norm > 0, length / norm, 0.0)


def _adam(
    images: Tensor, gradients: Tensor, moments: tuple[Tensor, Tensor], rate: float, number: int
) -> None:
    first, second = moments
    for moment, decay, value in zip(moments, ADAM_MOMENTS, (gradients, gradients.square()), strict=True):
        moment.lerp_(value, 1.0 - decay)
    corrections = [1.0 - decay ** (number + 1) for decay in ADAM_MOMENTS]
    spread = (second / corrections[1]).sqrt_().add_(ADAM_EPSILON)
    images.addcdiv_(first, spread, value=rate / corrections[0])


def _column(values: Tensor) -> Tensor:
    return values.view(-1, 1, 1, 1)
