"""What a search makes of a service's answer: a number in [0, 1] for every class, whatever was said.

A class that is listed has its score. One that is not is censored: its score is at most the lowest that is listed, at
most what the listed ones leave to 1 (where the scores of all classes sum to 1), and below the service's own least score.
That bound is all that is known of it, so it orders such classes among each other, below everything that is listed.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fooling.studies.audit.black_box.restriction import NOBODY, Restriction, Said

FLOOR = 2.0**-20  # listed scores count as at least that, bounds of others as less


def fitness(said: Said, restriction: Restriction, classes: int, normalised: bool) -> NDArray[np.float32]:
    """(n, classes) float32, of the answers of a service that gives scores.

    Args:
        restriction: what the service says.
        normalised: whether the scores of all classes sum to 1.
    """
    hides = restriction.hides(classes)
    found = np.zeros((len(said), classes), np.float32)
    if hides:
        found += (bounds(said, restriction, normalised) * (FLOOR / 2)).astype(np.float32)[:, None]
    rows, columns = np.nonzero(said.classes != NOBODY)
    scores = said.scores[rows, columns]
    found[rows, said.classes[rows, columns]] = np.maximum(scores, np.float32(FLOOR)) if hides else scores
    return found


def bounds(said: Said, restriction: Restriction, normalised: bool) -> NDArray[np.float64]:
    """(n,) float64: what the score of a class that is not listed is at most."""
    listed = said.classes != NOBODY
    scores = np.where(listed, said.scores, np.nan).astype(np.float64)
    lowest = np.where(listed.any(axis=1), np.nanmin(np.where(listed, scores, np.inf), axis=1), 1.0)
    bound = np.minimum(lowest, 1.0)
    if normalised:
        bound = np.minimum(bound, 1.0 - np.nansum(scores, axis=1))
    short = ~listed.all(axis=1)  # the service left labels out because of their scores
    bound = np.where(short, np.minimum(bound, restriction.min_score), bound)
    return bound.clip(0.0, 1.0)


def votes(said: Said, copies: int, classes: int) -> NDArray[np.float32]:
    """(n, classes) float32: the share of each image's copies that is called each class.

    Args:
        said: of n * copies images, the copies of an image side by side.
    """
    labels = said.classes[:, 0].reshape(-1, copies)
    found = np.zeros((len(labels), classes), np.float32)
    for copy in range(copies):
        found[np.arange(len(labels)), labels[:, copy]] += np.float32(1)
    return found / np.float32(copies)
