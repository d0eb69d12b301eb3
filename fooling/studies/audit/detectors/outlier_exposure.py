"""Outlier exposure (Hendrycks et al. 2019): the network is trained on to be unsure of other images, and takes the bare
one's place; the score is its maximum confidence.

The loss is the cross-entropy of real images plus half of the mean of logsumexp(z) - mean(z) over other images, their
cross-entropy with the uniform distribution. The other images are noise and random CPPNs: no collection of photographs
comes with this package, and the usual one was withdrawn.
"""

from __future__ import annotations

import numpy as np
from scipy.special import softmax
from torch import Tensor
from torch.nn.functional import cross_entropy

from fooling.studies.audit.detectors.probabilities import top_log_odds
from fooling.studies.audit.detectors.protocol import Detector, Fitted, Network, Shown
from fooling.studies.audit.detectors.tuning import copy_of, logits_by, tuned

WEIGHT = 0.5


def loss(real: Tensor, classes: Tensor, others: Tensor) -> Tensor:
    """Of (n, K) logits of real images, their classes, and (m, K) logits of others."""
    uniform = (others.logsumexp(1) - others.mean(1)).mean()
    return cross_entropy(real, classes) + WEIGHT * uniform


def fit(real: Shown, network: Network) -> Fitted:
    """Train a copy."""
    assert network.training is not None
    exposed = tuned(
        network, copy_of(network), network.classifier.spec, real, network.training.outliers(), loss
    )
    return Fitted(
        lambda shown: top_log_odds(logits_by(exposed, shown)),
        {"weight": WEIGHT, "epochs": network.training.epochs},
        lambda shown: np.asarray(softmax(logits_by(exposed, shown), axis=1)),
    )


DETECTOR = Detector(
    "outlier-exposure",
    "Outlier exposure",
    "Hendrycks et al., ICLR 2019",
    ("training", "fit images"),
    fit,
    ("noise", "random-cppn"),
)
