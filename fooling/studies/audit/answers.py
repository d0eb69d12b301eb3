"""What the classifier says of images of which a class is expected."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fooling.studies.audit.subject import Subject


@dataclass(frozen=True)
class Named:
    """What a classifier says of images that each have a class.

    Attributes:
        confidence: (n,) float32, in the class; NaN for an image without an answer.
        first: (n,) bool: whether no class has a higher confidence.
    """

    confidence: NDArray[np.float32]
    first: NDArray[np.bool_]

    def at_least(self, level: float) -> NDArray[np.bool_]:
        """(n,) bool: the class is first, with at least so much confidence."""
        return self.first & (self.confidence >= np.float32(level))


def named(subject: Subject, pixels: NDArray[np.uint8], classes: NDArray[np.int64]) -> Named:
    """What the classifier under audit says.

    Args:
        pixels: (n, H, W, C) uint8.
        classes: (n,), the class of each.
    """
    return of(subject.evaluator.evaluate(pixels, allow_nan=True).confidences, classes)


def of(confidences: NDArray[np.float32], classes: NDArray[np.int64]) -> Named:
    """The same of confidences, (n, K)."""
    own = confidences[np.arange(len(classes)), classes]
    highest = confidences.max(axis=1) if len(classes) else own
    return Named(own, own >= highest)
