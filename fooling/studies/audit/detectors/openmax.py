"""OpenMax (Bendale & Boult 2016): how probable "unknown" is, where the logits of the likeliest classes are lowered by
how far the logits lie from those of real images of each class.

For each class, a Weibull distribution is fitted to the 20 largest distances of the logits of its real images that are
named right to their mean. Of an image, the logits of the 3 likeliest classes are lowered by the share
w (4 - rank) / 3, where w is the distribution's value at the distance; what they lose together is the logit of the
unknown. Logits are moved first so that the least is 0: with negative ones the sign of what is lost would be wrong.
With them the 10 likeliest of the paper would make almost every image of a network of ten classes unknown; 3 is what
OpenOOD takes. The distance is Euclidean; the score is minus the log-odds of "unknown".
"""

from __future__ import annotations

import numpy as np
from scipy.special import logsumexp

from fooling.studies.audit.detectors import weibull
from fooling.studies.audit.detectors.protocol import (
    F64,
    Detector,
    Fitted,
    Network,
    NotMeasurable,
    Shown,
    classes_of,
    logits_of,
)

TAIL, RANKS, LEAST = 20, 3, 5


def revised(logits: F64, weights: F64, ranks: int = RANKS) -> tuple[F64, F64]:
    """(n, K) logits that were lowered, and (n,) the logit of the unknown.

    Args:
        weights: (n, K), from 0 to 1, how far the image lies from each class.
        ranks: how many of the likeliest classes are lowered.
    """
    ranks = min(ranks, logits.shape[1])
    positive = logits - logits.min(axis=1, keepdims=True)
    order = np.argsort(-logits, axis=1, kind="stable")[:, :ranks]
    shares = np.zeros_like(logits)
    np.put_along_axis(shares, order, (ranks - np.arange(ranks)) / ranks, axis=1)
    lost = positive * weights * shares
    return positive - lost, lost.sum(axis=1)


def fit(real: Shown, network: Network) -> Fitted:
    """Fit a Weibull distribution for each class that has enough images."""
    logits, classes = logits_of(real), classes_of(real)
    right = logits.argmax(axis=1) == classes
    count = logits.shape[1]
    centres, scales, shapes = np.zeros((count, count)), np.full(count, np.inf), np.ones(count)
    for number in range(count):
        own = logits[right & (classes == number)]
        if len(own) < LEAST:
            continue
        centres[number] = own.mean(axis=0)
        tail = np.sort(np.linalg.norm(own - centres[number], axis=1))[-TAIL:]
        tail = tail[tail > 0]
        if len(tail) >= LEAST and tail[0] < tail[-1]:
            scales[number], shapes[number] = weibull.fitted(tail)
    known = int(np.isfinite(scales).sum())
    if known < (count + 1) // 2:
        raise NotMeasurable(
            f"needs {LEAST} real images, named right, of half of the classes, found them of {known} of {count}"
        )

    def score(shown: Shown) -> F64:
        given = logits_of(shown)
        distances = np.stack([np.linalg.norm(given - centre, axis=1) for centre in centres], axis=1)
        weights = weibull.cumulative(distances, scales, shapes)  # type: ignore[arg-type]
        lowered, unknown = revised(given, weights)
        return np.asarray(logsumexp(lowered, axis=1) - unknown)

    return Fitted(score, {"tail": TAIL, "ranks": min(RANKS, count), "classes_fitted": known})


DETECTOR = Detector(
    "openmax", "OpenMax", "Bendale & Boult, CVPR 2016", ("logits", "softmax", "fit images"), fit
)
