"""What a round brought: is the network still good, is it still fooled, does it know what fools it?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cppn.keys import Keys
from fooling import encodings
from fooling.classifiers.classifier import Classifier
from fooling.config import Settings
from fooling.datasets.samples import Samples
from fooling.studies.intervals import wilson

UNSELECTED = 1000  # random images of the encoding that a network with a class "fooling" is shown


@dataclass(frozen=True)
class Share:
    """A share of images: `hits` of `images`, which are at least one."""

    hits: int
    images: int

    @classmethod
    def of(cls, which: NDArray[np.bool_]) -> Share:
        """The share of (n,) values that are true."""
        return cls(int(which.sum()), len(which))

    @property
    def value(self) -> float:
        """The share, in [0, 1]."""
        return self.hits / self.images

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of Wilson."""
        found = wilson(self.hits, self.images)
        assert found is not None
        return found


@dataclass(frozen=True)
class Recognised:
    """The shares of several kinds of images that a network calls "fooling".

    Attributes:
        trained: fooling images that it was trained on.
        held_out: fooling images that runs against earlier networks gave and that it was not trained on.
        new: elites that were evolved against this network, one for each class and run.
        unselected: random images of the encoding, which were not evolved.
        false_alarms: test images.
    """

    trained: Share
    held_out: Share
    new: Share
    unselected: Share
    false_alarms: Share


@dataclass(frozen=True)
class Round:
    """A network and what it is worth.

    Attributes:
        number: 0 is the network that knows no fooling images.
        fingerprint: of the network.
        training_images: how many images the network was trained on, fooling ones included.
        fooling_images: how many of these are fooling images.
        accuracy: the share of test images that are named right.
        accuracy_among_classes: the same where "fooling" does not count as an answer.
        recognised: what the network calls "fooling"; None for round 0, which has no such class.
        elites: (K, height, width, channels) uint8, of the first run against it, "fooling" left out.
        confidences: (runs, K) float32, what the elites of runs against it reached, "fooling" left out.
        evaluations: images that these runs tried.
        sampled: images of these runs that the next network is trained on, besides the older ones.
    """

    number: int
    fingerprint: str
    training_images: int
    fooling_images: int
    accuracy: Share
    accuracy_among_classes: Share
    recognised: Recognised | None
    elites: NDArray[np.uint8]
    confidences: NDArray[np.float32]
    evaluations: int
    sampled: int

    @property
    def error(self) -> float:
        """The share of the test images that are named wrong."""
        return 1 - self.accuracy.value

    @property
    def medians(self) -> NDArray[np.float32]:
        """(runs,) float32: each run's median over the classes."""
        return np.median(self.confidences, axis=1)

    @property
    def median(self) -> float:
        """The median over the elites of all runs."""
        return float(np.median(self.confidences))


def accuracies(classifier: Classifier, test: Samples, classes: int) -> tuple[Share, Share, Share]:
    """The shares of the test images that are named right, that are named right among the first `classes` classes, and those
    that are called none of these."""
    said = classifier.classify(test.images)
    top = said.argmax(1)
    among = said[:, :classes].argmax(1)
    return Share.of(top == test.labels), Share.of(among == test.labels), Share.of(top >= classes)


def called_fooling(classifier: Classifier, images: NDArray[np.uint8], classes: int) -> Share:
    """The share of (n, height, width, channels) images, n at least 1, whose top-1 is beyond the first `classes`."""
    return Share.of(classifier.classify(images).argmax(1) >= classes)


def unselected(settings: Settings, classifier: Classifier, seed: int) -> NDArray[np.uint8]:
    """Random images of the runs' encoding, as a first population is made of."""
    spec = classifier.spec
    encoding = encodings.create(settings.encoding, spec.size, spec.colour)
    return encoding.render(encoding.initialise(Keys.of_generation(seed, 0, UNSELECTED)))
