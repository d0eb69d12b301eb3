"""Rectified activations (Sun et al. 2021): the energy of logits from features that are clipped at the 90th percentile
of all features of real images."""

from __future__ import annotations

import numpy as np

from fooling.studies.audit.detectors.energy import energy
from fooling.studies.audit.detectors.protocol import F64, Detector, Fitted, Network, Shown, features_of

PERCENTILE = 90.0


def fit(real: Shown, network: Network) -> Fitted:
    """Find where to clip."""
    weights, bias = network.weights, network.bias
    assert weights is not None
    assert bias is not None
    most = float(np.percentile(features_of(real), PERCENTILE))

    def score(shown: Shown) -> F64:
        return energy(np.minimum(features_of(shown), most) @ weights.T + bias, network.output)

    return Fitted(score, {"clipped_at": most})


DETECTOR = Detector(
    "react",
    "Rectified activations (ReAct)",
    "Sun et al., NeurIPS 2021",
    ("logits", "head", "fit images"),
    fit,
)
