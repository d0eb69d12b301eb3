"""Energy fine-tuning (Liu et al. 2020): the network is trained on so that the energies of real and of other images lie on
either side of a gap, and takes the bare one's place; the score is the energy (`energy`).

With E = -logsumexp(z), the loss is the cross-entropy of real images plus 0.1 of the means of max(0, E - m_in)^2 over real
images and max(0, m_out - E)^2 over others. The paper's margins, -23 and -5, are for one network; here they are the
mean energies that the bare network gives both kinds, so that they fit its scale. The other images are those of outlier
exposure.
"""

from __future__ import annotations

from functools import partial

import numpy as np
from scipy.special import logsumexp, softmax
from torch import Tensor
from torch.nn.functional import cross_entropy, relu

from fooling.studies.audit.detectors.protocol import (
    Detector,
    Fitted,
    Network,
    NotMeasurable,
    Shown,
    logits_of,
)
from fooling.studies.audit.detectors.tuning import copy_of, logits_by, tuned

WEIGHT = 0.1


def loss(real: Tensor, classes: Tensor, others: Tensor, inner: float, outer: float) -> Tensor:
    """Of (n, K) logits of real images, their classes, and (m, K) logits of others.

    Args:
        inner, outer: m_in and m_out, the energies below which real images, and above which others, are left alone.
    """
    inside = relu(-real.logsumexp(1) - inner).square().mean()
    outside = relu(outer + others.logsumexp(1)).square().mean()
    return cross_entropy(real, classes) + WEIGHT * (inside + outside)


def fit(real: Shown, network: Network) -> Fitted:
    """Train a copy."""
    assert network.training is not None
    outliers = network.training.outliers()
    inner = float(-logsumexp(logits_of(real), axis=1).mean())
    outer = float(-logsumexp(network.classifier.logits(outliers).astype(np.float64), axis=1).mean())
    if outer <= inner:
        raise NotMeasurable(
            f"needs other images of a higher energy than real ones to begin with, found {outer:.3g} and {inner:.3g}"
        )
    gap = partial(loss, inner=inner, outer=outer)
    apart = tuned(network, copy_of(network), network.classifier.spec, real, outliers, gap)
    return Fitted(
        lambda shown: np.asarray(logsumexp(logits_by(apart, shown), axis=1)),
        {"weight": WEIGHT, "m_in": inner, "m_out": outer, "epochs": network.training.epochs},
        lambda shown: np.asarray(softmax(logits_by(apart, shown), axis=1)),
    )


DETECTOR = Detector(
    "energy-tuning",
    "Energy fine-tuning",
    "Liu et al., NeurIPS 2020",
    ("training", "fit images"),
    fit,
    ("noise", "random-cppn"),
)
