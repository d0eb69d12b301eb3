"""Gaussians of features: means, and covariances that can be inverted.

Penultimate features have units that no real image excites, and there are often more features than images: the plain
covariance is singular. It is shrunk towards a multiple of the identity by Ledoit and Wolf's rule (2004, "A
well-conditioned estimator for large-dimensional covariance matrices"), which vanishes with more images.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fooling.studies.audit.detectors.protocol import F64, NotMeasurable


@dataclass(frozen=True)
class Gaussian:
    """Gaussians that share a covariance.

    Attributes:
        means: (k, F).
        whitening: (F, F): the squared distance of x and y is |(x - y) @ whitening|^2.
        shrinkage: 0 (the plain covariance) to 1 (a multiple of the identity).
    """

    means: F64
    whitening: F64
    shrinkage: float

    def distances(self, features: F64) -> F64:
        """(n, k): squared Mahalanobis distances of (n, F) features to the means."""
        points, centres = features @ self.whitening, self.means @ self.whitening
        return np.stack([((points - centre) ** 2).sum(axis=1) for centre in centres], axis=1)


@dataclass(frozen=True)
class Classes:
    """The Gaussians of features by class.

    Attributes:
        own: one for each class that there are images of, with the covariance within classes, of all of them.
        background: a single one of all images. Its covariance is the same one and that between the classes, so that
            what shrinking changes is the same in both.
    """

    own: Gaussian
    background: Gaussian


def by_class(features: F64, classes: NDArray[np.int64]) -> Classes:
    """The Gaussians of (n, F) features.

    Raises:
        NotMeasurable: hardly any class has two images.
    """
    present, rows, counts = np.unique(classes, return_inverse=True, return_counts=True)
    if len(features) < 2 * len(present):
        raise NotMeasurable(
            f"needs two real images a class on average to fit, found {len(features)} of {len(present)} classes"
        )
    means = np.stack([features[rows == row].mean(axis=0) for row in range(len(present))])
    within, shrinkage = shrunk_covariance(features - means[rows])
    centre = features.mean(axis=0, keepdims=True)
    apart = (means - centre) * np.sqrt(counts / len(features))[:, None]
    background = Gaussian(centre, _whitening(within + apart.T @ apart), shrinkage)
    return Classes(Gaussian(means, _whitening(within), shrinkage), background)


def _whitening(covariance: F64) -> F64:
    values, vectors = np.linalg.eigh(covariance)
    if values[-1] <= 0:
        raise NotMeasurable("needs features that differ between real images, found the same for all")
    # What rounding left of directions without any variance at all would be infinitely far: leave them out.
    kept = values > values[-1] * 1e-12
    return np.asarray(vectors[:, kept] / np.sqrt(values[kept]))


def shrunk_covariance(centred: F64) -> tuple[F64, float]:
    """The covariance of (n, F) centred values, divided by n, shrunk; and by how much (Ledoit & Wolf 2004, lemma 3.2 to
    3.4)."""
    count, size = centred.shape
    covariance = centred.T @ centred / count
    scale = np.trace(covariance) / size
    spread = float(
        (covariance**2).sum() / size - scale**2
    )  # of the covariance about the multiple of the identity
    squares = centred**2
    noise = float(((squares.T @ squares).sum() / count - (covariance**2).sum()) / (count * size))
    shrinkage = 0.0 if spread <= 0 else min(1.0, max(0.0, noise / spread))
    return (1 - shrinkage) * covariance + shrinkage * scale * np.eye(size), shrinkage
