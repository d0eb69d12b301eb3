"""ODIN (Liang et al. 2018): the highest confidence at temperature 1000 of an image that was moved a little, 0.0014 of
the range of a pixel, to where that confidence rises.

The step is in units of pixels in [0, 1] whatever the network's preprocessing; the moved image is kept in that range.
A zero gradient moves nothing. On fooling images the step raises the confidence too.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fooling.classifiers import Classifier
from fooling.studies.audit.detectors.probabilities import top_log_odds
from fooling.studies.audit.detectors.protocol import F64, Detector, Fitted, Network, Shown

TEMPERATURE, STEP = 1000.0, 0.0014


def moved(classifier: Classifier, pixels: NDArray[np.uint8]) -> Tensor:
    """(n, C, H, W) float32 in [0, 1]: x - STEP sign(grad of the cross-entropy of softmax(z / T) in its likeliest class).

    Args:
        pixels: (n, H, W, C) uint8, n at most the images of a forward pass.
    """

    def seed(outputs: Tensor) -> Tensor:
        """The gradient of the cross-entropy with respect to the outputs, but for the factor 1 / T."""
        outputs = outputs.double()
        top = torch.nn.functional.one_hot(outputs.mean(1).argmax(1), outputs.shape[2])
        return ((outputs / TEMPERATURE).softmax(2) - top[:, None]).float()

    given = torch.from_numpy(pixels).to(classifier.numerics.device)
    _, gradient = classifier.gradients(given, seed)
    images = given.permute(0, 3, 1, 2).float() / 255.0
    return (images - STEP * gradient.permute(0, 3, 1, 2).sign()).clamp(0.0, 1.0)


def fit(real: Shown, network: Network) -> Fitted:
    """Nothing is fitted."""
    classifier = network.classifier

    def score(shown: Shown) -> F64:
        step, found = classifier.images_per_pass, [np.zeros(0)]
        for start in range(0, len(shown), step):
            with torch.inference_mode(False):  # in which a search asks, and no gradient would be recorded
                images = moved(classifier, shown.pixels[start : start + step])
            logits = classifier.logits(images)
            found.append(top_log_odds(logits.detach().cpu().numpy().astype(np.float64) / TEMPERATURE))
        return np.concatenate(found)

    return Fitted(score, {"temperature": TEMPERATURE, "step": STEP})


DETECTOR = Detector("odin", "ODIN", "Liang et al., ICLR 2018", ("logits", "softmax", "gradients"), fit)
