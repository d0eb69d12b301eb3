"""What pulls an image back after each step: regularisers as operators on X, the image minus the mean.

Decay, blur and the two clippings are those of Yosinski, Clune, Nguyen, Fuchs & Lipson 2015, "Understanding
neural networks through deep visualization", section 3, in the order of the authors' released code; total
variation is a term of Mahendran & Vedaldi 2015, "Understanding deep image representations by inverting them",
with beta = 1; jitter is from Mordvintsev, Olah & Tyka 2015, "Inceptionism" (the DeepDream code).

Decay is a gradient step on decay / 2 |X|^2, and the variation's a gradient step on its weighted sum: both are
terms of an objective, taken after its main part.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cppn.keys import Keys
from fooling.search.settings import GradientAscentSettings

JITTER = 17  # the purpose of its draws
_CUT = 4.0  # radii at which a blur's kernel ends, as in scipy.ndimage.gaussian_filter
_LEVEL = 1.0 / 255.0  # differences well below one grey level count as smooth


def regularise(
    settings: GradientAscentSettings, images: Tensor, gradients: Tensor, mean: Tensor, number: int
) -> None:
    """Apply what the settings ask for, in place, and keep the images in [0, 1].

    Args:
        images: (n, H, W, C) float32, just after a step; changed.
        gradients: (n, H, W, C) float32, which that step followed; their scale does not matter.
        mean: (H, W, C) float32, or (1, 1, C).
        number: steps taken before that one.
    """
    if settings.decay:
        images.lerp_(mean, settings.decay)
    if settings.blur_radius and number % settings.blur_every == 0:
        images.copy_(blurred(images - mean, settings.blur_radius).add_(mean))
    if settings.small_norm:
        small = lowest((images - mean).square_().sum(3), settings.small_norm)
        images.copy_(torch.where(small, mean, images))
    if settings.small_contribution:
        contribution = (images - mean).mul_(gradients).sum(3).abs_()
        images.copy_(torch.where(lowest(contribution, settings.small_contribution), mean, images))
    if settings.total_variation:
        images.sub_(variation_gradient(images), alpha=settings.total_variation)
    images.clamp_(0.0, 1.0)


def blurred(values: Tensor, radius: float) -> Tensor:
    """(n, H, W, C) blurred by a Gaussian of standard deviation `radius` in pixels, mirrored at the edges: what
    scipy.ndimage.gaussian_filter does with each channel."""
    weights = _kernel(radius)
    for axis in (1, 2):
        side, reach = values.shape[axis], len(weights) // 2
        padded = values.index_select(axis, _mirrored(side, reach).to(values.device))
        parts = (padded.narrow(axis, start, side) for start in range(len(weights)))
        values = _weighted_sum(parts, weights)
    return values


def lowest(values: Tensor, percentage: float) -> Tensor:
    """(n, H, W, 1) bool: the pixels with the lowest (n, H, W) values, that percentage of each image; fewer
    where the next one is equal to some of them."""
    flat = values.flatten(1)
    count = round(flat.shape[1] * percentage / 100.0)
    bound = flat.kthvalue(min(count + 1, flat.shape[1])).values
    return (values < bound.view(-1, 1, 1))[..., None]


def total_variation(images: Tensor) -> Tensor:
    """(n,): the sum over pixels and channels of the length of the difference to the next pixel right and down;
    smoothed where it is below a grey level, so that it has a gradient everywhere."""
    down = torch.diff(images, dim=1, append=images[:, -1:])
    right = torch.diff(images, dim=2, append=images[:, :, -1:])
    lengths = (down.square() + right.square() + _LEVEL**2).sqrt() - _LEVEL
    return lengths.sum((1, 2, 3))


def variation_gradient(images: Tensor) -> Tensor:
    """(n, H, W, C): the gradient of `total_variation`."""
    with torch.enable_grad():
        at = images.detach().requires_grad_()
        return torch.autograd.grad(total_variation(at).sum(), at)[0]


def shifts(keys: Keys, number: int, most: int) -> NDArray[np.int64]:
    """(n, 2) int64: each climb's shift down and right at a step, from -most to most."""
    at_step = Keys(keys.seed, number, keys.children, keys.stream)
    return (at_step.uniform(JITTER, 2) * (2 * most + 1)).astype(np.int64) - most


def shifted(images: Tensor, by: NDArray[np.int64]) -> Tensor:
    """(n, H, W, C) images, each shifted by its own (down, right) around the edges."""
    rows = zip(images, by.tolist(), strict=True)
    return torch.stack([image.roll(shift, (0, 1)) for image, shift in rows])


def _kernel(radius: float) -> list[float]:
    reach = int(_CUT * radius + 0.5)
    values = [math.exp(-0.5 * (i / radius) ** 2) for i in range(-reach, reach + 1)]
    return [value / math.fsum(values) for value in values]


def _mirrored(side: int, reach: int) -> Tensor:
    """Indices of -reach to side + reach - 1, where what is beyond an edge is its mirror image."""
    places = torch.arange(-reach, side + reach) % (2 * side)
    return torch.where(places < side, places, 2 * side - 1 - places)


def _weighted_sum(parts: Iterator[Tensor], weights: list[float]) -> Tensor:
    total = next(parts) * weights[0]
    for part, weight in zip(parts, weights[1:], strict=True):
        total.add_(part, alpha=weight)
    return total
