"""Relative Mahalanobis distance (Ren et al. 2021): the Mahalanobis distance to the nearest class minus that to all real
images taken as one Gaussian."""

from __future__ import annotations

import numpy as np

from fooling.studies.audit.detectors.gaussians import by_class
from fooling.studies.audit.detectors.protocol import (
    F64,
    Detector,
    Fitted,
    Network,
    Shown,
    classes_of,
    features_of,
)


def fit(real: Shown, network: Network) -> Fitted:
    """Fit a Gaussian to each class, and one to all."""
    found = by_class(features_of(real), classes_of(real))

    def score(shown: Shown) -> F64:
        features = features_of(shown)
        return np.asarray(
            found.background.distances(features)[:, 0] - found.own.distances(features).min(axis=1)
        )

    return Fitted(score, {"shrinkage": found.own.shrinkage})


DETECTOR = Detector(
    "relative-mahalanobis",
    "Relative Mahalanobis distance",
    "Ren et al., 2021",
    ("features", "fit images"),
    fit,
)
