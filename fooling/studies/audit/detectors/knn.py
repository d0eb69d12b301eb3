"""Deep nearest neighbours (Sun et al. 2022): minus the distance of the features, divided by their norm, to their k-th
nearest neighbour among those of real images. k is 50, or a twentieth of the real images where that is less."""

from __future__ import annotations

import numpy as np

from fooling.studies.audit.detectors.protocol import F64, Detector, Fitted, Network, Shown, features_of

NEIGHBOURS, SHARE = 50, 20
_CHUNK = 512


def normalised(features: F64) -> F64:
    """(n, F): divided by their norms; zeros stay zeros."""
    norms = np.linalg.norm(features, axis=1, keepdims=True)
    return np.asarray(features / np.where(norms > 0, norms, 1.0))


def kth_distance(bank: F64, queries: F64, k: int) -> F64:
    """(m,): the distance of each of (m, F) queries to its k-th nearest of (n, F)."""
    squares = (bank**2).sum(axis=1)
    found = []
    for start in range(0, len(queries), _CHUNK):
        part = queries[start : start + _CHUNK]
        rough = squares - 2.0 * part @ bank.T  # but for the queries' own squares, which change no order
        kth = np.argpartition(rough, k - 1, axis=1)[:, k - 1]
        # From the difference, since the form above cancels where the two are close.
        found.append(np.linalg.norm(bank[kth] - part, axis=1))
    return np.concatenate(found) if found else np.zeros(0)


def fit(real: Shown, network: Network) -> Fitted:
    """Keep the features of the real images."""
    bank = normalised(features_of(real))
    k = max(1, min(NEIGHBOURS, len(bank) // SHARE))
    return Fitted(lambda shown: -kth_distance(bank, normalised(features_of(shown)), k), {"k": k})


DETECTOR = Detector(
    "knn", "Nearest neighbours (kNN)", "Sun et al., ICML 2022", ("features", "fit images"), fit
)
