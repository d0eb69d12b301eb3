"""Temperature scaling (Guo et al. 2017): the highest confidence of logits divided by T, which makes real images as sure
as they are right. One number for all images hardly changes their order: it repairs calibration, and rejects nothing.

T minimises the negative log-likelihood of real images; it is searched for on a bounded interval, since the L-BFGS of
the reference code often stops early, or at a negative T.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

from fooling.studies.audit.detectors.probabilities import confidence_log_odds
from fooling.studies.audit.detectors.protocol import (
    F64,
    Detector,
    Fitted,
    Network,
    Shown,
    classes_of,
    logits_of,
)

COOLEST, HOTTEST = 0.05, 100.0


def negative_log_likelihood(logits: F64, classes: NDArray[np.int64], temperature: float) -> float:
    """The mean over images, of the softmax of logits / temperature."""
    log_p = log_softmax(logits / temperature, axis=1)
    return float(-log_p[np.arange(len(classes)), classes].mean())


def best_temperature(logits: F64, classes: NDArray[np.int64]) -> float:
    """The temperature from 0.05 to 100 of the least negative log-likelihood, which is convex in 1 / T."""
    found = minimize_scalar(
        lambda log_t: negative_log_likelihood(logits, classes, float(np.exp(log_t))),
        bounds=(np.log(COOLEST), np.log(HOTTEST)),
        method="bounded",
        options={"xatol": 1e-6},
    )
    return float(np.exp(found.x))


def fit(real: Shown, network: Network) -> Fitted:
    """Find T."""
    temperature = best_temperature(logits_of(real), classes_of(real))
    return Fitted(
        lambda shown: confidence_log_odds(shown, network, temperature), {"temperature": temperature}
    )


DETECTOR = Detector(
    "temperature", "Temperature scaling", "Guo et al., ICML 2017", ("logits", "softmax", "fit images"), fit
)
