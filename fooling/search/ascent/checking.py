"""Whether a checkpoint's `search` arrays are those of a gradient ascent."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from fooling.archive.invariants import check_confidences, expect
from fooling.errors import InvalidError
from fooling.search.ascent.records import MILESTONES, NEVER
from fooling.search.settings import ResolvedGradientAscent


def check_arrays(
    settings: ResolvedGradientAscent, arrays: Mapping[str, NDArray], shape: tuple[int, int, int]
) -> None:
    """Whether arrays are what `GradientAscent.arrays` gave after some round.

    Args:
        shape: (H, W, C) of the images.

    Raises:
        InvalidError: one line that names the array and what is wrong with it.
    """
    count = settings.population
    classes = expect(arrays, "classes", np.int64, (count,))
    if not np.array_equal(classes, np.repeat(np.array(settings.classes, np.int64), settings.starts)):
        raise InvalidError("classes: expected those of the settings, found others")
    steps = {"escaped": 0, "best_step": NEVER, "first": NEVER}
    for name, least in steps.items():
        width = (count, len(MILESTONES)) if name == "first" else (count,)
        _check_range(name, expect(arrays, name, np.int32, width), least, settings.steps)
    _check_range("stuck", expect(arrays, "stuck", np.uint8, (count,)), 0, 1)
    _check_range("passes", expect(arrays, "passes", np.int64, (1,)), 0, 2**62)
    best = expect(arrays, "best_confidence", np.float32, (count,))
    check_confidences("best_confidence", best, arrays["best_step"] != NEVER)
    expect(arrays, "best_pixels", np.uint8, (count, *shape))
    _check_range("images", expect(arrays, "images", np.float32, (count, *shape)), 0.0, 1.0)
    if settings.rule == "adam":
        largest = float(np.finfo(np.float32).max)
        _check_range("moments", expect(arrays, "moments", np.float32, (2, count, *shape)), -largest, largest)


def _check_range(name: str, values: NDArray, least: float, most: float) -> None:
    if values.size and not (values.min() >= least and values.max() <= most):
        raise InvalidError(
            f"{name}: expected numbers from {least:g} to {most:g}, found {values.min()} to {values.max()}"
        )
