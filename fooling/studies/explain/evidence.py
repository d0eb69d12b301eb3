"""What an explanation asks a classifier: how much it finds of each class in images."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fooling.classifiers.spec import LOGITS
from fooling.runs.evaluator import Evaluator

_LEAST = 1e-30  # a confidence below it counts as this, so that its logarithm is finite


@dataclass(frozen=True)
class Answers:
    """What a classifier says of n images.

    Attributes:
        confidences: (n, K) float64 in [0, 1].
        evidence: (n, K) float64: the logits, less their mean over the classes where a softmax follows, which a constant
            does not change; where there are no logits, the logarithms of probabilities, likewise, or the log-odds of scores.
    """

    confidences: NDArray[np.float64]
    evidence: NDArray[np.float64]


def ask(evaluator: Evaluator, pixels: NDArray[np.uint8]) -> Answers:
    """What the classifier says of images.

    Args:
        pixels: (n, H, W, C) uint8.

    Raises:
        FoolingError: the images could not be asked about.
    """
    output = evaluator.classifier.spec.output
    found = evaluator.evaluate(pixels, logits=output in LOGITS)
    confidences = found.confidences.astype(np.float64)
    return Answers(confidences, _evidence(confidences, found.logits, output))


def _evidence(
    confidences: NDArray[np.float64], logits: NDArray[np.float32] | None, output: str
) -> NDArray[np.float64]:
    if logits is not None:
        values = logits.astype(np.float64)
    else:
        sure = confidences.clip(_LEAST, 1.0)
        values = np.log(sure) - (0 if output == "probabilities" else np.log((1 - confidences).clip(_LEAST)))
    softmax = output in ("logits", "probabilities")
    return values - values.mean(axis=1, keepdims=True) if softmax else values


def rival_of(evidence: NDArray[np.float64], target: int) -> int:
    """The class that (K,) evidence speaks for most beside `target`; `target` itself where there is no other."""
    others = np.delete(np.arange(len(evidence)), target)
    return int(others[evidence[others].argmax()]) if len(others) else target


def grid(height: int, width: int, side: int | None = None) -> NDArray[np.int64]:
    """(H, W) int64: the cell of each pixel in a grid of side x side cells, which are numbered row by row and as equal as
    may be.

    Args:
        side: cells in a row (default: cells of four pixels, but at most 14).
    """
    side = side or max(1, min(14, min(height, width) // 4))
    rows, columns = np.arange(height) * side // height, np.arange(width) * side // width
    return rows[:, None] * side + columns[None, :]


def origin_of(image: NDArray[np.uint8], kind: str) -> NDArray[np.uint8]:
    """(H, W, C) uint8: what is there where a part of an image is taken away: "mean", the image's mean colour, or "blank",
    black."""
    if kind == "blank":
        return np.zeros_like(image)
    mean = np.rint(image.reshape(-1, image.shape[2]).mean(axis=0)).astype(np.uint8)
    return np.broadcast_to(mean, image.shape).copy()
