"""Confidences in float64, from logits where there are any: a float32 softmax is exactly 1 for margins above 17, where
fooling images and real ones tie."""

from __future__ import annotations

import numpy as np
from scipy.special import log_softmax, logsumexp

from fooling.studies.audit.detectors.protocol import F64, Network, Shown

LEAST, MOST = 2.0**-149, 1.0 - 2.0**-25  # of confidences that float32 could not tell from 0 and from 1


def top_log_odds(logits: F64) -> F64:
    """(n,) log(p / (1 - p)) of the highest softmax probability p of (n, K) logits: the highest logit minus the
    logsumexp of the others. Infinite where there is one class."""
    if logits.shape[1] == 1:
        return np.full(len(logits), np.inf)
    falling = -np.sort(-logits, axis=1)
    return np.asarray(falling[:, 0] - logsumexp(falling[:, 1:], axis=1))


def confidence_log_odds(shown: Shown, network: Network, temperature: float = 1.0) -> F64:
    """(n,) log(p / (1 - p)) of the highest confidence p."""
    if shown.logits is None:
        top = _inside(shown.confidences.max(axis=1))
        return np.asarray(np.log(top) - np.log1p(-top))
    scaled = shown.logits / temperature
    return np.asarray(scaled.max(axis=1)) if network.output == "sigmoid" else top_log_odds(scaled)


def log_probabilities(shown: Shown, network: Network) -> tuple[F64, F64]:
    """(n, K) log p and log(1 - p) of each class."""
    if shown.logits is None:
        confidences = _inside(shown.confidences)
        return np.log(confidences), np.log1p(-confidences)
    if network.output == "sigmoid":
        return -np.logaddexp(0.0, -shown.logits), -np.logaddexp(0.0, shown.logits)
    log_p = log_softmax(shown.logits, axis=1)
    # log(1 - p) without cancellation: of the likeliest class from its log-odds, of the others directly.
    rest = np.log1p(-np.exp(np.minimum(log_p, -1e-300)))
    top = shown.logits.argmax(axis=1)
    rows = np.arange(len(top))
    if log_p.shape[1] > 1:
        rest[rows, top] = log_p[rows, top] - top_log_odds(shown.logits)
    return log_p, rest


def _inside(confidences: F64) -> F64:
    """Confidences between 0 and 1, so that their log-odds are finite; those that were equal stay so."""
    return np.clip(confidences, LEAST, MOST)
