"""Accuracy against the size of a perturbation (Sircelj & Skocaj 2020), and the area under it (Bouniot, Audigier & Loesch
2020)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fooling.errors import InvalidError


def accuracy_curve(smallest: NDArray[np.float64], epsilons: Sequence[float]) -> list[float]:
    """The share of images that no perturbation of at most each size makes the classifier name wrong: it never rises.

    Args:
        smallest: (n,) the smallest size that did so for each image: 0 where it is named wrong as it is, inf where none
            did.
    """
    return [float((smallest > epsilon).mean()) for epsilon in epsilons]


def auac(epsilons: Sequence[float], accuracies: Sequence[float]) -> float:
    """The mean accuracy over sizes from 0 to the largest, by the trapezoid rule: AUAC (Bouniot et al. 2020).

    Raises:
        InvalidError: the sizes don't begin at 0, or don't rise: the area before the first would be missing.
    """
    sizes = np.asarray(epsilons, np.float64)
    if len(sizes) < 2 or sizes[0] != 0 or not (np.diff(sizes) > 0).all():
        raise InvalidError(f"expected sizes that rise from 0, found {list(epsilons)}")
    return float(np.trapezoid(np.asarray(accuracies, np.float64), sizes) / sizes[-1])
