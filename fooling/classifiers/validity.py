"""What a classifier may be given, and what it may put out; anything else is refused in one line."""

from __future__ import annotations

import math
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fooling.classifiers.spec import Spec
from fooling.errors import InvalidError

Confidences = TypeVar("Confidences", Tensor, NDArray[np.float32])

# How far a network's own probabilities may leave [0, 1] by rounding before they are refused.
_ROUNDING = 1e-4


class ClassifierError(InvalidError):
    """A classifier was given, or put out, what it must not."""


def expect_pixels(pixels: NDArray[np.uint8] | Tensor, spec: Spec) -> None:
    """
    Args:
        pixels: an array or a tensor.

    Raises:
        ClassifierError: the pixels are not uint8 of shape (n, height, width, channels), as the spec has it.
    """
    expected = spec.image_shape
    if pixels.dtype not in (np.uint8, torch.uint8) or pixels.shape[1:] != expected:
        raise ClassifierError(
            f"{spec.name}: expected pixels uint8 of shape (n, {', '.join(map(str, expected))}), "
            f"found {str(pixels.dtype).removeprefix('torch.')} {tuple(pixels.shape)}"
        )


def expect_images(images: Tensor, spec: Spec) -> None:
    """
    Raises:
        ClassifierError: the images are not float32 in [0, 1] of shape (n, channels, height, width), as the spec has it.
    """
    expected = (spec.channels, spec.height, spec.width)
    if images.dtype != torch.float32 or images.shape[1:] != expected:
        raise ClassifierError(
            f"{spec.name}: expected images float32 of shape (n, {', '.join(map(str, expected))}), "
            f"found {str(images.dtype).removeprefix('torch.')} {tuple(images.shape)}"
        )
    if not images.numel():
        return
    low, high = (bound.item() for bound in images.detach().aminmax())
    if not (low >= 0.0 and high <= 1.0):
        raise ClassifierError(
            f"{spec.name}: expected images in [0, 1], found values from {low:.6g} to {high:.6g}; "
            "scaling and means belong in the spec's preprocessing"
        )


def in_range(confidences: Confidences, spec: Spec, allow_nan: bool = False) -> Confidences:
    """The confidences themselves, or a copy clamped to [0, 1] where rounding left that range.

    One look at the lowest and the highest tells whether a closer look is needed.

    Args:
        confidences: (n, classes) float32, an array or a tensor on any device.
        allow_nan: return a row of NaN for an image with some NaN or infinity, where that is an error otherwise.

    Raises:
        ClassifierError: some are further outside of [0, 1], or NaN or infinite.
    """
    if not confidences.shape[0]:
        return confidences
    if isinstance(confidences, Tensor):
        low, high = (bound.item() for bound in confidences.detach().aminmax())
    else:
        low, high = confidences.min(), confidences.max()
    if low >= 0.0 and high <= 1.0:
        return confidences
    if low >= -_ROUNDING and high <= 1.0 + _ROUNDING:
        return confidences.clip(0.0, 1.0)
    if not (math.isfinite(low) and math.isfinite(high)):
        return _nan_rows_marked(confidences, spec, allow_nan)
    raise ClassifierError(
        f"{spec.name}: expected confidences in [0, 1], found values from {low:.6g} to {high:.6g} "
        f'(the spec says output = "{spec.output}")'
    )


def _nan_rows_marked(confidences: Confidences, spec: Spec, allow_nan: bool) -> Confidences:
    """The confidences with a row of NaN for each image that has some NaN or infinity; the other rows are checked."""
    values = torch.as_tensor(confidences)
    lost = ~values.detach().isfinite().all(1, keepdim=True)
    if not allow_nan:
        raise ClassifierError(
            f"{spec.name}: expected finite outputs, found NaN or infinity for {int(lost.sum())} of {len(lost)} "
            "images: does half precision overflow, or is something divided by 0?"
        )
    marked = in_range(values.masked_fill(lost, 0.0), spec).masked_fill(lost, torch.nan)
    return marked if isinstance(confidences, Tensor) else marked.numpy()
