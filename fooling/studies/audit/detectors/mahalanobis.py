"""Mahalanobis distance (Lee et al. 2018): minus the least squared distance of the features to the mean of a class, with
the covariance within classes. Neither the input's perturbation nor the logistic regression over layers of that paper is
used: the latter is fitted to out-of-distribution images."""

from __future__ import annotations

import numpy as np

from fooling.studies.audit.detectors.gaussians import by_class
from fooling.studies.audit.detectors.protocol import (
    Detector,
    Fitted,
    Network,
    Shown,
    classes_of,
    features_of,
)


def fit(real: Shown, network: Network) -> Fitted:
    """Fit a Gaussian to each class."""
    found = by_class(features_of(real), classes_of(real)).own
    return Fitted(
        lambda shown: np.asarray(-found.distances(features_of(shown)).min(axis=1)),
        {"shrinkage": found.shrinkage},
    )


DETECTOR = Detector(
    "mahalanobis", "Mahalanobis distance", "Lee et al., NeurIPS 2018", ("features", "fit images"), fit
)
