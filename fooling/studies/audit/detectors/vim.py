"""Virtual-logit matching (Wang et al. 2022): the energy minus a virtual logit, which grows with the part of the features
that real images hardly have.

The origin is u = -W^+ b; the residual is the projection on the eigenvectors of the second moment of the features about u
with the smallest eigenvalues. The principal space has 1,000 dimensions of 2,048 features or more, 512 of 768 or more, as
in the paper, and else half of them: a fixed 256 would leave small networks no residual.
"""

from __future__ import annotations

import numpy as np

from fooling.studies.audit.detectors.energy import energy
from fooling.studies.audit.detectors.protocol import (
    F64,
    Detector,
    Fitted,
    Network,
    NotMeasurable,
    Shown,
    features_of,
    logits_of,
)


def dimensions(features: int) -> int:
    """Of the principal space of so many features."""
    return 1000 if features >= 2048 else 512 if features >= 768 else features // 2


def fit(real: Shown, network: Network) -> Fitted:
    """Find the residual space, and the factor that makes the mean virtual logit the mean highest logit."""
    weights, bias = network.weights, network.bias
    assert weights is not None
    assert bias is not None
    origin = -np.linalg.pinv(weights) @ bias
    centred = features_of(real) - origin
    count, width = centred.shape
    if count <= width:  # their residual would be nothing but rounding, and the factor without bounds
        raise NotMeasurable(f"needs more real images to fit than the {width} features, found {count}")
    size = dimensions(width)
    _, vectors = np.linalg.eigh(centred.T @ centred / count)  # by ascending eigenvalues
    residual = vectors[:, : width - size]
    norms = np.linalg.norm(centred @ residual, axis=1)
    if not norms.mean() > 0:
        raise NotMeasurable("needs features with a residual, found real images without any")
    factor = float(logits_of(real).max(axis=1).mean() / norms.mean())

    def score(shown: Shown) -> F64:
        beside = np.linalg.norm((features_of(shown) - origin) @ residual, axis=1)
        return np.asarray(energy(logits_of(shown), network.output) - factor * beside)

    return Fitted(score, {"dimensions": size, "alpha": factor})


DETECTOR = Detector(
    "vim", "Virtual-logit matching (ViM)", "Wang et al., CVPR 2022", ("logits", "head", "fit images"), fit
)
