"""Is a map right? Pixels are taken away, or put in, in its order (Petsiuk et al. 2018, RISE): if they matter, the
confidence falls, or rises, sooner than in random order."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fooling.runs.evaluator import Evaluator
from fooling.validation import Data, Many

STEPS = 20
ORDERS = 5  # random ones


class Curve(Data):
    """A map put to the test.

    Attributes:
        method: that made the map.
        deletion: the confidence as the pixels that matter most are put back to the origin, in equal steps from none to all.
        insertion: the confidence as they are put onto the origin.
        deletion_area, insertion_area: under these curves, 0 to 1.
        random_deletion_area, random_insertion_area: under the mean curves of some random orders.
    """

    method: str
    deletion: Many[float]
    insertion: Many[float]
    deletion_area: float
    insertion_area: float
    random_deletion_area: float
    random_insertion_area: float


def curve(
    evaluator: Evaluator,
    method: str,
    values: NDArray[np.float64],
    image: NDArray[np.uint8],
    origin: NDArray[np.uint8],
    target: int,
    random: np.random.Generator,
    steps: int = STEPS,
) -> Curve:
    """Take the pixels of an image away, and put them in, in the order of an (H, W) map and in random orders."""
    first = np.argsort(-values.ravel(), kind="stable")
    orders = [first, *(random.permutation(values.size) for _ in range(ORDERS))]
    pictures = [
        picture
        for order in orders
        for picture in (*_replaced(image, origin, order, steps), *_replaced(origin, image, order, steps))
    ]
    confidences = evaluator.evaluate(np.stack(pictures)).confidences[:, target].astype(np.float64)
    curves = confidences.reshape(len(orders), 2, steps + 1)
    areas = (curves[..., 1:] + curves[..., :-1]).mean(axis=2) / 2  # the trapezoidal rule
    return Curve(
        method=method,
        deletion=tuple(curves[0, 0].tolist()),
        insertion=tuple(curves[0, 1].tolist()),
        deletion_area=float(areas[0, 0]),
        insertion_area=float(areas[0, 1]),
        random_deletion_area=float(areas[1:, 0].mean()),
        random_insertion_area=float(areas[1:, 1].mean()),
    )


def _replaced(
    image: NDArray[np.uint8], other: NDArray[np.uint8], order: NDArray[np.int64], steps: int
) -> list[NDArray[np.uint8]]:
    """An image with more and more of its pixels, in some order, replaced by another's; the last is the other."""
    pixels = image.shape[0] * image.shape[1]
    rank = np.empty(pixels, np.int64)
    rank[order] = np.arange(pixels)
    rank = rank.reshape(image.shape[:2])
    return [
        np.where((rank < round(pixels * step / steps))[:, :, None], other, image) for step in range(steps + 1)
    ]
