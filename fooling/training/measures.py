"""What a classifier is worth on labelled images, and how far its confidence can be believed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fooling.classifiers.classifier import Classifier
from fooling.datasets.samples import Samples

# The confidence that the paper counts fooling images by.
NEAR_CERTAIN = 0.9999


@dataclass(frozen=True)
class Measures:
    """
    Attributes:
        images: how many were measured.
        accuracy: share named right.
        calibration_error: expected calibration error in 15 bins (Guo 2017, section 2).
        near_certain: share with a top confidence of 0.9999 or more.
    """

    images: int
    accuracy: float
    calibration_error: float
    near_certain: float


def measure(classifier: Classifier, data: Samples) -> Measures:
    """Classify labelled images."""
    confidences = classifier.classify(data.images)
    top = confidences.max(1)
    right = confidences.argmax(1) == data.labels
    return Measures(
        len(data), float(right.mean()), calibration_error(top, right), float((top >= NEAR_CERTAIN).mean())
    )


def calibration_error(top: NDArray[np.float32], right: NDArray[np.bool_], bins: int = 15) -> float:
    """The expected calibration error: the gap between confidence and accuracy in each bin of confidence,
    weighted by the bin's share.

    Args:
        top: (n,) confidences of the classes named, in [0, 1].
        right: (n,) whether that was right.
    """
    index = np.minimum((top * bins).astype(np.int64), bins - 1)
    gap = np.bincount(index, weights=right - top.astype(np.float64), minlength=bins)
    return float(np.abs(gap).sum() / len(top))
