"""Energy (Liu et al. 2020): the logsumexp of the logits at temperature 1. Of classes that don't exclude each other
(sigmoids), the sum of the classes' log(1 + exp(z)) (Wang et al. 2021)."""

from __future__ import annotations

import numpy as np
from scipy.special import logsumexp

from fooling.studies.audit.detectors.protocol import F64, Detector, Fitted, Network, Shown, logits_of


def energy(logits: F64, output: str = "logits") -> F64:
    """(n,) of (n, K) logits; what papers call the energy is its negative."""
    if output == "sigmoid":
        return np.asarray(np.logaddexp(0.0, logits).sum(axis=1))
    return np.asarray(logsumexp(logits, axis=1))


def fit(real: Shown, network: Network) -> Fitted:
    """Nothing is fitted."""
    return Fitted(lambda shown: energy(logits_of(shown), network.output))


DETECTOR = Detector("energy", "Energy", "Liu et al., NeurIPS 2020", ("logits",), fit)
