"""What all detectors of an audit are held against, asked about once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
from numpy.typing import NDArray

from fooling.studies.audit.access import head_of
from fooling.studies.audit.detection.others import Kind, lessons, outliers
from fooling.studies.audit.detectors.protocol import Network, Shown, Training
from fooling.studies.audit.images import Labelled
from fooling.studies.audit.subject import Elites, Subject


@dataclass(frozen=True)
class Bench:
    """Real images and others, and what the classifier says of them.

    Attributes:
        subject: the classifier under audit.
        elites: of the bare classifier, by run.
        kinds: images that are not real.
    """

    subject: Subject
    elites: list[Elites]
    kinds: list[Kind]

    @cached_property
    def network(self) -> Network:
        """The classifier as detectors see it."""
        classifier, access = self.subject.evaluator.classifier, self.subject.access
        head = head_of(classifier, access.layer) if access.layer and access.lacks("head") is None else None
        training = Training(
            partial(outliers, self.subject),
            partial(lessons, self.subject),
            self.subject.budget.epochs,
            self.subject.seed,
        )
        if head is None:
            return Network(classifier, access.layer, training=training)
        weights = head.weight.detach().cpu().double().numpy()
        bias = np.zeros(len(weights)) if head.bias is None else head.bias.detach().cpu().double().numpy()
        return Network(classifier, access.layer, weights, bias, training)

    @cached_property
    def real(self) -> tuple[Shown, Shown, Shown]:
        """The fit, calibration and test images."""
        real = self.subject.real
        assert real is not None
        return self._labelled(real.fit), self._labelled(real.calibration), self._labelled(real.test)

    @cached_property
    def others(self) -> dict[str, Shown]:
        """The images of each kind."""
        return {kind.name: self.show(kind.pixels) for kind in self.kinds}

    def show(self, pixels: NDArray[np.uint8], classes: NDArray[np.int64] | None = None) -> Shown:
        """What the classifier says of images."""
        access = self.subject.access
        found = self.subject.evaluator.evaluate(
            pixels, logits=access.lacks("logits") is None, features=access.layer
        )
        logits = None if found.logits is None else found.logits.astype(np.float64)
        features = None if found.features is None else found.features.astype(np.float64)
        return Shown(pixels, found.confidences.astype(np.float64), logits, features, classes)

    def _labelled(self, images: Labelled) -> Shown:
        return self.show(images.pixels, images.classes)
