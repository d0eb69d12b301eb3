"""A classifier and a detector beside it as one classifier, which a search can be pointed at.

An image that the detector accepts has the confidence (1 + p) / 2 in a class, where p is the network's. One that it
rejects has, in all classes, half of 1 / (1 + d), where d is how far its score is below the threshold, in units of the
spread of real images' scores. So a search first finds images that are accepted, by going up the score, and then, among
these, images that the network is sure of. No gradient is needed, and nothing of the search has to change.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from fooling.classifiers import Classifier
from fooling.classifiers.looking import look
from fooling.classifiers.numerics import Numerics
from fooling.classifiers.wrapped import wrapped
from fooling.studies.audit.detectors.protocol import F64, Fitted, Shown

BELOW = np.nextafter(np.float32(0.5), np.float32(0))  # the most that an image has that is rejected
Fit = Callable[[Classifier], Fitted]


def accepted_confidence(confidence: float) -> float:
    """What an accepted image of a confidence of the network is given."""
    return 0.5 + 0.5 * confidence


@dataclass(frozen=True)
class Guarded:
    """The answers of a network and a detector together.

    Attributes:
        classifier: the network.
        fitted: the detector; what answers is its own network where it has one.
        layer: whose features it reads; None: none.
        threshold: below which an image is rejected.
        spread: of real images' scores, above 0.
        name: of the detector.
    """

    classifier: Classifier
    fitted: Fitted
    layer: str | None
    threshold: float
    spread: float
    name: str

    @property
    def identity(self) -> str:
        """For the fingerprint: the network, the detector and its threshold, which depends on all that was fitted."""
        return f"{self.classifier.fingerprint} {self.name} {self.threshold:.9g} {self.spread:.9g}"

    def __call__(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(n, K) of (n, H, W, C) uint8."""
        shown = show(self.classifier, pixels, self.layer)
        confidences = self.fitted.answers(shown).astype(np.float32)
        distance = np.maximum(self.threshold - self.fitted.score(shown), 0.0) / self.spread
        rejected = np.minimum((0.5 / (1.0 + distance)).astype(np.float32), BELOW)[:, None]
        accepted = np.float32(0.5) + np.float32(0.5) * confidences
        return np.where(distance[:, None] > 0, rejected, accepted).astype(np.float32)

    def under(self, numerics: Numerics) -> Guarded:
        """The same, its network computing under other numerics."""
        return replace(self, classifier=self.classifier.with_numerics(numerics))

    def as_classifier(self) -> Classifier:
        """As a classifier of its own."""
        spec, numerics = self.classifier.spec, self.classifier.numerics
        return wrapped(self, spec, numerics, f"{spec.name} guarded by {self.name}")


def show(
    classifier: Classifier,
    pixels: NDArray[np.uint8],
    layer: str | None,
    classes: NDArray[np.int64] | None = None,
) -> Shown:
    """What a classifier says of images, in the form that detectors read."""
    found = look(classifier, pixels, layer)
    return Shown(
        pixels,
        found.confidences.astype(np.float64),
        _double(found.logits),
        _double(found.features),
        classes,
    )


def _double(values: NDArray[np.float32] | None) -> F64 | None:
    return None if values is None else values.astype(np.float64)
