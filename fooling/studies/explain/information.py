"""How much does a layer tell of the class? Mutual information by kernel densities (Kolchinsky & Tracey 2017) and by binning,
as Zhang et al. 2022 (arXiv 2207.05756) measure it, with what their estimates lack: the ceilings, and a control.

With some thousand images and a layer of eight numbers or more both estimates are at their ceiling, log2 of the images and
log2 of the classes, whatever the layer holds: then labels in any order would do as well, and nothing is concluded.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from fooling.validation import Data

VARIANCE = 0.1  # of the noise that the estimate adds
BIN = 0.5
_CONTROL = 0.1  # of the true labels' information that permuted labels may seem to have
_NEAR = 0.98  # of a ceiling


class Information(Data):
    """What a layer tells, in bits.

    Attributes:
        layer: its name.
        values: numbers in the layer.
        n: images.
        of_images_low, of_images_high: bounds of I(T; X) by kernel densities.
        of_labels: I(T; Y) by the upper bound.
        of_labels_scaled: the same of the layer scaled to a standard deviation of 1.
        binned_images, binned_labels: by binning.
        ceiling_images, ceiling_labels: log2 of the images, and the entropy of the labels.
        control: I(T; Y) with the labels in random order.
        saturated: whether I(T; X) is at its ceiling.
        concluded: whether `of_labels` can be believed: the control has at most a tenth of it.
    """

    layer: str
    values: int
    n: int
    of_images_low: float
    of_images_high: float
    of_labels: float
    of_labels_scaled: float
    binned_images: float
    binned_labels: float
    ceiling_images: float
    ceiling_labels: float
    control: float
    saturated: bool
    concluded: bool


def information(
    layer: str, features: NDArray[np.float32], labels: NDArray[np.int64], random: np.random.Generator
) -> Information:
    """What (n, F) features tell of n images and of their labels."""
    values = features.astype(np.float64)
    of_labels = _of_labels(values, labels, upper)
    control = _of_labels(values, random.permutation(labels), upper)
    scaled = values / max(float(values.std()), np.finfo(np.float64).tiny)
    bins = np.unique(np.floor(values / BIN), axis=0, return_inverse=True)[1].ravel()
    ceiling = float(np.log2(len(values)))
    of_images = upper(values)
    return Information(
        layer=layer,
        values=values.shape[1],
        n=len(values),
        of_images_low=lower(values),
        of_images_high=of_images,
        of_labels=of_labels,
        of_labels_scaled=_of_labels(scaled, labels, upper),
        binned_images=_entropy(bins),
        binned_labels=_entropy(bins) - _within(bins, labels, _entropy),
        ceiling_images=ceiling,
        ceiling_labels=_entropy(labels),
        control=control,
        saturated=of_images >= _NEAR * ceiling,
        concluded=control <= _CONTROL * of_labels,
    )


def upper(values: NDArray[np.float64]) -> float:
    """The upper bound of the information, in bits, that (n, F) values with a little noise have of which of n they are."""
    return _bits(values, 2 * VARIANCE)


def lower(values: NDArray[np.float64]) -> float:
    """The lower bound, by Bhattacharyya's distances: four times the variance."""
    return _bits(values, 8 * VARIANCE)


def _bits(values: NDArray[np.float64], scale: float) -> float:
    squares = (values**2).sum(axis=1)
    distances = np.maximum(squares[:, None] + squares[None, :] - 2 * values @ values.T, 0)
    np.fill_diagonal(distances, 0)
    return float((np.log(len(values)) - logsumexp(-distances / scale, axis=1).mean()) / np.log(2))


def _of_labels(
    values: NDArray[np.float64],
    labels: NDArray[np.int64],
    bound: Callable[[NDArray[np.float64]], float],
) -> float:
    return max(0.0, bound(values) - _within(values, labels, bound))


def _within(values: NDArray[Any], labels: NDArray[np.int64], of: Callable[[NDArray[Any]], float]) -> float:
    """The mean over the labels, weighted by how many images have each."""
    found, counts = np.unique(labels, return_counts=True)
    parts = [of(values[labels == label]) for label in found]
    return float(np.average(parts, weights=counts))


def _entropy(symbols: NDArray[np.int64]) -> float:
    """In bits."""
    shares = np.unique(symbols, return_counts=True)[1] / len(symbols)
    return float(-(shares * np.log2(shares)).sum())
