"""How well a score tells real images from others. A score is higher for what looks real; all arithmetic is in float64.

Nothing here looks at the scale of scores: what is monotone changes nothing. Two numbers are called "FPR95" in public
tables, which differ by which side counts as positive; both are given, named by what they cost.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fooling.errors import FoolingError

Scores = NDArray[np.float64]
FALSE_ALARMS = 0.05  # the share of real images that a threshold rejects


class ScoreError(FoolingError):
    """Scores that can't be measured."""


def checked(scores: Scores, what: str) -> Scores:
    """The scores, (n,) float64.

    Raises:
        ScoreError: there are none, or a NaN is among them.
    """
    values = np.asarray(scores, np.float64)
    if values.ndim != 1 or not len(values):
        raise ScoreError(f"expected scores of {what}, found an array of shape {values.shape}")
    if (bad := int(np.isnan(values).sum())) > 0:
        raise ScoreError(f"expected a score for each image of {what}, found NaN for {bad} of {len(values)}")
    return values


def placements(real: Scores, others: Scores) -> Scores:
    """(m,) float64: of each other image, the share of real images that score higher, a tie counted a half. Their mean
    is the AUROC (Mann & Whitney 1947).

    Raises:
        ScoreError: no scores, or a NaN.
    """
    sorted_real, others = np.sort(checked(real, "real images")), checked(others, "other images")
    below = np.searchsorted(sorted_real, others, "left")
    up_to = np.searchsorted(sorted_real, others, "right")
    return 1.0 - (below + up_to) / (2.0 * len(sorted_real))


def auroc(real: Scores, others: Scores) -> float:
    """The chance that a real image scores higher than another one, a tie counted a half.

    Raises:
        ScoreError: no scores, or a NaN.
    """
    return float(placements(real, others).mean())


def false_alarms(real: Scores, others: Scores, caught: float = 0.95) -> float:
    """FPR95 with the other images as positive, as OpenOOD has it: the share of real images that are rejected where the
    threshold is just high enough to catch that share of the others.

    Raises:
        ScoreError: no scores, or a NaN.
    """
    real, others = checked(real, "real images"), np.sort(checked(others, "other images"))
    threshold = others[_index(len(others), caught)]
    return float((real <= threshold).mean())


def missed(real: Scores, others: Scores, passed: float = 0.95) -> float:
    """FPR95 with the real images as positive: the share of other images that pass where the threshold lets that share
    of real images pass.

    Raises:
        ScoreError: no scores, or a NaN.
    """
    falling, others = -np.sort(-checked(real, "real images")), checked(others, "other images")
    threshold = falling[_index(len(falling), passed)]
    return float((others >= threshold).mean())


def threshold_of(real: Scores, rejected: float = FALSE_ALARMS) -> float:
    """The score below which an image is rejected, so that this share of the real images is: of n scores without ties,
    the largest whole number of images that is not more.

    Raises:
        ScoreError: no scores, or a NaN.
    """
    values = np.sort(checked(real, "real images"))
    return float(values[int(np.floor(rejected * len(values) + 1e-9))])


def detected(others: Scores, threshold: float) -> float:
    """The share of images that are rejected: those that score below a threshold.

    Raises:
        ScoreError: no scores, or a NaN.
    """
    return float((checked(others, "other images") < threshold).mean())


def over_groups(
    groups: Sequence[Scores], random: np.random.Generator, resamples: int
) -> tuple[float, float] | None:
    """A 95 % interval of the mean over the values of all groups, by resampling groups: the images of one run are
    siblings, so runs are what was drawn (Efron 1979).

    Returns:
        The interval; None where there are fewer than two groups.
    """
    if len(groups) < 2:
        return None
    sums = np.array([group.sum() for group in groups])
    counts = np.array([len(group) for group in groups])
    draws = random.integers(0, len(groups), (resamples, len(groups)))
    means = sums[draws].sum(axis=1) / counts[draws].sum(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(high)


def _index(count: int, share: float) -> int:
    """Of so many values in order, the one with which that share is reached."""
    return min(count, max(1, int(np.ceil(share * count - 1e-9)))) - 1
