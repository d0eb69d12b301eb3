"""A classifier that sees every image through a transform."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fooling.classifiers import Classifier, Numerics
from fooling.classifiers.wrapped import wrapped
from fooling.studies.audit.transforms.filters import Transform


class Filtered:
    """What a classifier says of transformed images (`fooling.classifiers.wrapped.Answering`)."""

    def __init__(self, classifier: Classifier, transform: Transform) -> None:
        self._classifier, self._transform = classifier, transform
        self.identity = f"{transform.name} {transform.parameters} {classifier.fingerprint}"

    def __call__(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        return self._classifier.classify(self._transform.apply(pixels), allow_nan=True)

    def under(self, numerics: Numerics) -> Filtered:
        """The same, the classifier computing under other numerics."""
        return Filtered(self._classifier.with_numerics(numerics), self._transform)


def through(classifier: Classifier, transform: Transform) -> Classifier:
    """The classifier with a transform in front of it: a run against it knows of the transform."""
    name = f"{classifier.spec.name} behind {transform.name}"
    return wrapped(Filtered(classifier, transform), classifier.spec, classifier.numerics, name)
