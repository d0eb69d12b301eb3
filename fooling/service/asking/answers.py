"""What a classifier says of a few images."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Model:
    """What a process says of its classifier when it is ready.

    Attributes:
        labels: the names of the classes; text of whoever made the classifier.
        wordnet: the WordNet id of each class, where the classifier's spec gives them.
        fingerprint: 64 hex digits that tell it from other classifiers.
    """

    labels: tuple[str, ...]
    wordnet: tuple[str, ...] | None
    fingerprint: str


@dataclass(frozen=True)
class Answer:
    """A class, and the confidence of a classifier in it."""

    number: int
    label: str
    confidence: float


@dataclass(frozen=True)
class Answers:
    """What a classifier says of n images.

    Attributes:
        model: the classifier.
        confidences: (n, K) float32; NaN in the whole row of an image that the classifier has no confidence for.
    """

    model: Model
    confidences: NDArray[np.float32]

    def top(self, row: int, count: int = 5) -> list[Answer]:
        """The classes that the classifier is surest of, for one image, the surest first; equals in the order of their
        classes. Empty where the classifier has no confidence for the image."""
        confidences = self.confidences[row]
        if np.isnan(confidences).any():
            return []
        order = np.argsort(-confidences, kind="stable")[:count]
        return [
            Answer(number, self.model.labels[number], float(confidences[number])) for number in order.tolist()
        ]

    def confidence(self, row: int, number: int) -> float | None:
        """The confidence in one class, for one image; None where the classifier has none, or no such class."""
        if not 0 <= number < self.confidences.shape[1]:
            return None
        found = float(self.confidences[row, number])
        return None if np.isnan(found) else found
