"""How few values? A few of an image's values are moved as far as it takes (Zhang et al. 2022, arXiv 2210.15446, LP-BFGS):
K values that matter, by a quasi-Newton method, within the range of pixels.

A value is one channel of one pixel. The public code of the paper has moved the values that matter *least* since April 2023;
here the order is a setting, and the tests say which way round it has to be.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import minimize
from torch import Tensor

from fooling.classifiers import Classifier

Order = Literal["most", "random", "least"]
STEPS = 200  # of the minimisation
_EDGE = 1e-3  # values are moved within [EDGE, 1 - EDGE], where the tangent is not flat
_COPIES = 16  # noisy ones, from which the values of a blank image are chosen
_PULL = 1e3  # of the margin against the distance, when a real image is changed


@dataclass(frozen=True)
class Moved:
    """An image with a few values moved.

    Attributes:
        pixels: (H, W, C) uint8.
        changed: values that differ from where it began; at most as many as were asked for.
        confidence: of the class asked for, of the 8 bits.
        answer: the class that the classifier answers first.
        distance: root of the sum of squares of the changes, of values in [0, 1].
        calls: gradients that were asked for.
    """

    pixels: NDArray[np.uint8]
    changed: int
    confidence: float
    answer: int
    distance: float
    calls: int


def convince(
    classifier: Classifier,
    blank: NDArray[np.uint8],
    target: int,
    values: int,
    random: np.random.Generator,
    order: Order = "most",
    steps: int = STEPS,
) -> Moved:
    """Make a classifier take an image, (H, W, C) uint8, for a class, by moving so many of its values.

    Which values matter is told by the slope of log p, averaged over noisy copies, times how far a value can go that way:
    integrated gradients from a blank image to itself are 0.
    """
    asked, start = _one_by_one(classifier), blank / 255.0
    noisy = (start + random.normal(0, 0.2, (_COPIES, *blank.shape))).clip(0, 1)
    slopes = np.mean([_slope(asked, one, _log_p(target))[1] for one in noisy], axis=0)
    room = np.where(slopes < 0, 1 - start, start)  # black can't become darker
    chosen = choose(np.abs(slopes) * room, values, order, random)
    found, calls = _minimise(asked, start, chosen, _log_p(target), steps, 0.0)
    return _told(classifier, found, blank, target, calls + _COPIES)


def mislead(
    classifier: Classifier,
    image: NDArray[np.uint8],
    label: int,
    values: int,
    random: np.random.Generator,
    order: Order = "most",
    steps: int = STEPS,
) -> Moved:
    """Make a classifier take a real image, (H, W, C) uint8, for anything but its class, by moving so many of its values as
    little as it takes: |x' - x|^2 + c max(0, margin), c = 1000.

    Which values matter is told by integrated gradients from black (24 steps).
    """
    asked, start = _one_by_one(classifier), image / 255.0
    slopes = np.mean(
        [_slope(asked, start * share, _log_p(label))[1] for share in (np.arange(24) + 0.5) / 24], axis=0
    )
    chosen = choose(np.abs(slopes * start), values, order, random)
    found, calls = _minimise(asked, start, chosen, _margin(label), steps, 1.0)
    return _told(classifier, found, image, label, calls + 24)


def choose(
    worth: NDArray[np.float64], values: int, order: Order, random: np.random.Generator
) -> NDArray[np.int64]:
    """(K,) int64: places in a flat image of the K values to move. Among equals the earlier ones come first."""
    flat = worth.ravel()
    if order == "random":
        return np.sort(random.permutation(flat.size)[:values])
    return np.sort(np.argsort(-flat if order == "most" else flat, kind="stable")[:values])


def bfgs(
    function: Callable[[NDArray[np.float64]], tuple[float, NDArray[np.float64]]],
    start: NDArray[np.float64],
    steps: int = STEPS,
) -> tuple[NDArray[np.float64], int]:
    """The place, (K,), of a minimum of a function that gives its value and slope, and how often it was asked: BFGS with a line
    search by Wolfe's conditions (Nocedal & Wright 2006, algorithm 6.1), SciPy's."""
    found = minimize(function, start, jac=True, method="BFGS", options={"maxiter": steps, "gtol": 1e-5})
    return found.x, int(found.nfev)


def _minimise(
    classifier: Classifier,
    start: NDArray[np.float64],
    chosen: NDArray[np.int64],
    loss: Callable[[Tensor], Tensor],
    steps: int,
    near: float,
) -> tuple[NDArray[np.float64], int]:
    """The image, (H, W, C) in [0, 1], of the smallest loss; `near` is the weight of the squared distance."""
    image, pull = start.copy(), _PULL if near else 1.0

    def placed(free: NDArray[np.float64]) -> NDArray[np.float64]:
        image.reshape(-1)[chosen] = ((np.tanh(free) + 1) / 2).clip(_EDGE, 1 - _EDGE)
        return image

    def asked(free: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        value, slope = _slope(classifier, placed(free), loss)
        moved = image.reshape(-1)[chosen] - start.reshape(-1)[chosen]
        total = pull * value + near * float((moved**2).sum())
        outer = pull * slope.reshape(-1)[chosen] + 2 * near * moved
        return total, outer * (1 - np.tanh(free) ** 2) / 2

    begin = np.arctanh(2 * start.reshape(-1)[chosen].clip(_EDGE, 1 - _EDGE) - 1)
    if not near:  # at the ends of the range the tangent is nearly flat: begin where there is a slope
        begin = np.zeros_like(begin)
    with (
        classifier.numerics.applied()
    ):  # once for all steps: to change the threads costs more than such a pass
        found, calls = bfgs(asked, begin, steps)
    return placed(found).copy(), calls


def _one_by_one(classifier: Classifier) -> Classifier:
    """The classifier for one image at a time: its own batches are for many."""
    return classifier.with_numerics(replace(classifier.numerics, batch=1, threads=1))


def _slope(
    classifier: Classifier, image: NDArray[np.float64], loss: Callable[[Tensor], Tensor]
) -> tuple[float, NDArray[np.float64]]:
    """A loss at an image in [0, 1], and its gradient, (H, W, C)."""
    numerics = classifier.numerics
    tensor = (
        torch.from_numpy(image).to(numerics.device, torch.float32).permute(2, 0, 1)[None].requires_grad_()
    )
    with numerics.applied(), torch.enable_grad():
        value = loss(classifier.outputs(tensor)[0].double())
        (gradient,) = torch.autograd.grad(value, tensor)
    return float(value.detach()), gradient[0].permute(1, 2, 0).double().cpu().numpy()


def _log_p(target: int) -> Callable[[Tensor], Tensor]:
    return lambda logits: -logits.log_softmax(0)[target]


def _margin(label: int) -> Callable[[Tensor], Tensor]:
    def margin(logits: Tensor) -> Tensor:
        others = torch.cat([logits[:label], logits[label + 1 :]])
        return (logits[label] - others.max() + 1e-2).clamp_min(0)

    return margin


def _told(
    classifier: Classifier, found: NDArray[np.float64], start: NDArray[np.uint8], target: int, calls: int
) -> Moved:
    pixels = np.rint(255 * found).astype(np.uint8)
    confidences = classifier.classify(pixels[None])[0]
    change = (pixels.astype(np.float64) - start) / 255
    return Moved(
        pixels=pixels,
        changed=int((pixels != start).sum()),
        confidence=float(confidences[target]),
        answer=int(confidences.argmax()),
        distance=float(np.sqrt((change**2).sum())),
        calls=calls,
    )
