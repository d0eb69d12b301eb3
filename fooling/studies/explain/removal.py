"""Promotion and suppression: what each cell of an image does for its class and against the rival (Xu et al. 2019,
arXiv 1904.02057, section 3, there of an attack's perturbation; here of all that an image has and its origin has not).

Cell i is put back to the origin. Its *promotion* is what the class loses by that, its *suppression* what the rival gains,
both in evidence.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fooling.runs.evaluator import Evaluator
from fooling.studies.explain.evidence import Answers, ask, rival_of
from fooling.validation import Data, Many

SURE = 0.99
_LEAST = 0.01  # a cell with effects of a smaller share of the largest one does nothing
_ROUNDS = 24  # in which the smallest set of cells is found
KINDS = ("neither", "promotes", "suppresses", "both")


class Removal(Data):
    """What the cells of an elite do.

    Attributes:
        origin: "mean", "blank" or "ancestor": what a removed cell shows.
        side: cells in a row of the grid.
        rival, rival_label: the class that comes second at the elite.
        promotion, suppression: of each cell, row by row, in evidence.
        kinds: of each cell, an index into "neither", "promotes", "suppresses", "both".
        shares: of all cells, by kind.
        origin_confidence: of the origin, in the elite's class.
        needed: the cells of a small set that alone, on the origin, has a confidence of 0.99, in the order in which they were
            chosen; empty where the elite itself has less.
        needed_confidence: of that set; None where there is none.
    """

    origin: str
    side: int
    rival: int
    rival_label: str
    promotion: Many[float]
    suppression: Many[float]
    kinds: Many[int]
    shares: dict[str, float]
    origin_confidence: float
    needed: Many[int]
    needed_confidence: float | None


def remove(
    evaluator: Evaluator,
    image: NDArray[np.uint8],
    origin: NDArray[np.uint8],
    cells: NDArray[np.int64],
    target: int,
    kind: str,
) -> Removal:
    """Remove the cells of an image one by one.

    Args:
        image, origin: (H, W, C) uint8.
        cells: (H, W) int64, the cell of each pixel.
        kind: what the origin is called.
    """
    count = int(cells.max()) + 1
    pictures = np.stack([image, origin, *(_composed(image, origin, cells == cell) for cell in range(count))])
    answers = ask(evaluator, pictures)
    rival = rival_of(answers.evidence[0], target)
    promotion = answers.evidence[0, target] - answers.evidence[2:, target]
    suppression = answers.evidence[2:, rival] - answers.evidence[0, rival]
    kinds = kinds_of(promotion, suppression)
    needed, sure = _smallest(evaluator, image, origin, cells, target, answers)
    return Removal(
        origin=kind,
        side=round(count**0.5),
        rival=rival,
        rival_label=evaluator.classifier.labels[rival],
        promotion=tuple(promotion.tolist()),
        suppression=tuple(suppression.tolist()),
        kinds=tuple(kinds.tolist()),
        shares={name: float((kinds == place).mean()) for place, name in enumerate(KINDS)},
        origin_confidence=float(answers.confidences[1, target]),
        needed=tuple(needed),
        needed_confidence=sure,
    )


def kinds_of(promotion: NDArray[np.float64], suppression: NDArray[np.float64]) -> NDArray[np.int64]:
    """(n,) int64: what n cells do, by their effects. One of the two outweighs the other where it is more than twice as
    large (Xu et al. 2019: |log2 of the ratio| > 1); cells that hardly matter are left out of that."""
    larger = np.maximum(np.abs(promotion), np.abs(suppression))
    least = max(_LEAST * float(larger.max(initial=0.0)), np.finfo(np.float64).tiny)
    gains, losses = promotion.clip(1e-3 * least), suppression.clip(1e-3 * least)
    ratio = np.log2(losses / gains)
    kinds = np.where(ratio > 1, 2, np.where(ratio < -1, 1, 3))
    return np.where(np.maximum(promotion, suppression) < least, 0, kinds)


def _composed(
    image: NDArray[np.uint8], other: NDArray[np.uint8], where: NDArray[np.bool_]
) -> NDArray[np.uint8]:
    """An image with the pixels of another at some places."""
    return np.where(where[:, :, None], other, image)


def _smallest(
    evaluator: Evaluator,
    image: NDArray[np.uint8],
    origin: NDArray[np.uint8],
    cells: NDArray[np.int64],
    target: int,
    answers: Answers,
) -> tuple[list[int], float | None]:
    """A small set of cells that alone is enough, grown greedily: in each round those cells are added that help the class most
    beside what is there. It need not be the smallest of all."""
    count = int(cells.max()) + 1
    if answers.confidences[0, target] < SURE:
        return [], None
    at_once = -(-count // _ROUNDS)
    chosen: list[int] = []
    shown = origin
    while len(chosen) < count:
        left = [cell for cell in range(count) if cell not in chosen]
        tries = ask(evaluator, np.stack([_composed(shown, image, cells == cell) for cell in left]))
        best = np.argsort(-tries.evidence[:, target], kind="stable")[:at_once]
        for place in best.tolist():
            chosen.append(left[place])
            shown = _composed(shown, image, cells == left[place])
        sure = float(ask(evaluator, shown[None]).confidences[0, target])
        if sure >= SURE:
            return chosen, sure
    return chosen, float(answers.confidences[0, target])
