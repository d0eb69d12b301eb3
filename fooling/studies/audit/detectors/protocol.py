"""What a detector is: it is fitted to real images, and then scores what a classifier says of others. Up is real.

No detector sees an image that it is measured on while it is fitted; of fooling images, only those that are trained see
some, of other runs. Their parameters are the papers', fixed before.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fooling.classifiers import Classifier
from fooling.errors import FoolingError
from fooling.studies.audit.access import Capability

F64 = NDArray[np.float64]


class NotMeasurable(FoolingError):
    """A detector can't be fitted to what there is; the text says why."""


@dataclass(frozen=True)
class Shown:
    """Images, and what the classifier says of them.

    Attributes:
        pixels: (n, H, W, C) uint8.
        confidences: (n, K) float64.
        logits: (n, K) float64; None where the detector needs none.
        features: (n, F) float64; None where the detector needs none.
        classes: (n,) int64, of real images; None of others.
    """

    pixels: NDArray[np.uint8]
    confidences: F64
    logits: F64 | None = None
    features: F64 | None = None
    classes: NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return len(self.pixels)

    def take(self, rows: Any) -> Shown:
        """Some of the images."""
        logits, features, classes = (
            None if value is None else value[rows] for value in (self.logits, self.features, self.classes)
        )
        return Shown(self.pixels[rows], self.confidences[rows], logits, features, classes)


@dataclass(frozen=True)
class Training:
    """What networks can be trained on besides real images. Each is made when it is asked for.

    Attributes:
        outliers: (m, H, W, C) uint8, noise and random CPPNs.
        fooling: (m, H, W, C) uint8, elites of runs that nothing is measured on, and random CPPNs.
        epochs: passes over the real images.
        seed: of all randomness.
    """

    outliers: Callable[[], NDArray[np.uint8]]
    fooling: Callable[[], NDArray[np.uint8]]
    epochs: int
    seed: int


@dataclass(frozen=True)
class Network:
    """The classifier as detectors see it.

    Attributes:
        classifier: in this process.
        layer: the layer whose features are read; None: none.
        weights, bias: (K, F) and (K,) float64, of the linear layer behind the features; None where there is none.
        training: what detectors that are networks are trained with.
    """

    classifier: Classifier
    layer: str | None = None
    weights: F64 | None = None
    bias: F64 | None = None
    training: Training | None = None

    @property
    def output(self) -> str:
        """What the classifier's spec says that it puts out."""
        return self.classifier.spec.output


@dataclass(frozen=True)
class Fitted:
    """A detector that was fitted.

    Attributes:
        score: from what the classifier says of images to (n,) float64, up = real.
        parameters: what was fitted or fixed, for the report.
        answers: the (n, K) confidences that are answered with the detector in place: the classifier's own, unless the
            detector is a network that takes its place.
    """

    score: Callable[[Shown], F64]
    parameters: Mapping[str, float] = field(default_factory=dict)
    answers: Callable[[Shown], F64] = lambda shown: shown.confidences


@dataclass(frozen=True)
class Detector:
    """A way to tell real images from others.

    Attributes:
        name: in reports and rules.
        title: for people.
        paper: where it is from.
        needs: what the classifier has to let be seen.
        fit: fits it to real images.
        seen: the kinds of other images that it is trained on; none of a detector that is only fitted.

    `fit` raises NotMeasurable where it can't.
    """

    name: str
    title: str
    paper: str
    needs: tuple[Capability, ...]
    fit: Callable[[Shown, Network], Fitted]
    seen: tuple[str, ...] = ()

    @property
    def reads_features(self) -> bool:
        """Whether it reads features."""
        return "training" not in self.needs and bool({"features", "head"} & set(self.needs))


def logits_of(shown: Shown) -> F64:
    """The logits, which a detector that needs them is given."""
    assert shown.logits is not None
    return shown.logits


def features_of(shown: Shown) -> F64:
    """The features, which a detector that needs them is given."""
    assert shown.features is not None
    return shown.features


def classes_of(shown: Shown) -> NDArray[np.int64]:
    """The classes of real images."""
    assert shown.classes is not None
    return shown.classes
