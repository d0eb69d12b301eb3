"""Everything that a network says of images, from one forward pass: confidences, logits and features."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fooling.classifiers.classifier import Classifier
from fooling.classifiers.features import pooled, recorded
from fooling.classifiers.spec import LOGITS
from fooling.classifiers.validity import in_range


@dataclass(frozen=True)
class Look:
    """What a network says of n images.

    Attributes:
        confidences: (n, K) float32, those of `Classifier.classify`.
        logits: (n, K) float32, those of `Classifier.logits`; None where the network puts out none.
        features: (n, F) float32, those of `Classifier.features`; None where no layer was named.
    """

    confidences: NDArray[np.float32]
    logits: NDArray[np.float32] | None
    features: NDArray[np.float32] | None


def look(classifier: Classifier, pixels: NDArray[np.uint8], layer: str | None = None) -> Look:
    """What a network says of 8-bit images, with the bits that its parts have when they are asked for one by one.

    Args:
        pixels: (n, H, W, C) uint8, n at least 1.
        layer: whose features are wanted.

    Raises:
        ClassifierError: as `Classifier.classify` and `Classifier.features`.
    """
    if layer is not None and classifier.numerics.compiled:  # a compiled network calls no hooks
        logits = classifier.logits(pixels) if classifier.spec.output in LOGITS else None
        return Look(classifier.classify(pixels), logits, classifier.features(pixels, layer))
    spec, classes, forward = classifier.spec, len(classifier.labels), classifier._forward

    def head(batch: Tensor) -> Tensor:
        """(images, 2 K + F): confidences, outputs and features, side by side."""
        rows = batch.shape[0] * spec.views
        if layer is None:
            outputs = forward.outputs(batch)
            return torch.cat([forward.confidences(outputs), forward.over_views(outputs)], 1)
        with recorded(classifier.network, layer, spec) as calls:
            outputs = forward.outputs(batch)
        features = forward.over_views(pooled(calls, layer, rows, spec))
        return torch.cat([forward.confidences(outputs), forward.over_views(outputs), features], 1)

    found = classifier._of_pixels(pixels, head)
    confidences = in_range(np.ascontiguousarray(found[:, :classes]), spec)
    raw = found[:, classes : 2 * classes] if spec.output in LOGITS else None
    return Look(confidences, raw, found[:, 2 * classes :] if layer is not None else None)
