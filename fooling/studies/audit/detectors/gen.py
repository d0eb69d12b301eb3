"""Generalised entropy (Liu et al. 2023): minus the sum of (p (1 - p))^0.1 over the 100 likeliest classes."""

from __future__ import annotations

import numpy as np

from fooling.studies.audit.detectors.probabilities import log_probabilities
from fooling.studies.audit.detectors.protocol import F64, Detector, Fitted, Network, Shown

GAMMA, CLASSES = 0.1, 100


def generalised_entropy(log_p: F64, log_rest: F64, gamma: float = GAMMA, most: int = CLASSES) -> F64:
    """(n,), from (n, K) log p and log(1 - p); higher for confidences that are spread."""
    order = np.argsort(-log_p, axis=1, kind="stable")[:, :most]
    powers = gamma * (log_p + log_rest)
    return np.asarray(np.exp(np.take_along_axis(powers, order, axis=1)).sum(axis=1))


def fit(real: Shown, network: Network) -> Fitted:
    """Nothing is fitted."""
    return Fitted(
        lambda shown: -generalised_entropy(*log_probabilities(shown, network)),
        {"gamma": GAMMA, "classes": CLASSES},
    )


DETECTOR = Detector("gen", "Generalised entropy (GEN)", "Liu et al., CVPR 2023", ("scores",), fit)
