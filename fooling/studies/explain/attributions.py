"""Which pixels matter? Three ways to say so: two by gradients, one for classifiers that give none.

Each gives an (H, W) map, summed over the channels; more is more for the class.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fooling.runs.evaluator import Evaluator
from fooling.studies.explain.evidence import ask, grid

STEPS = 24  # of the path of integrated gradients
COPIES = 4  # noisy images over which they are averaged
NOISE = 0.05  # its standard deviation, of values in [0, 1]
ROOTS = 64  # of SmoothTaylor
SPREAD = 0.25  # the standard deviation of the roots about the image
MASKS = 400  # of fragments


def integrated_gradients(
    evaluator: Evaluator,
    image: NDArray[np.uint8],
    baseline: NDArray[np.uint8],
    target: int,
    random: np.random.Generator,
    steps: int = STEPS,
    copies: int = COPIES,
    noise: float = NOISE,
) -> NDArray[np.float64]:
    """Integrated gradients (Sundararajan et al. 2017) of the logarithm of the confidence, by the midpoint rule, averaged over
    noisy images (Smilkov et al. 2017). Without noise the sum is near log p(image) - log p(baseline): near, since the path
    is walked in 8 bits."""
    total = np.zeros(image.shape)
    shares = (np.arange(steps) + 0.5) / steps
    for copy in range(copies):
        shift = random.normal(0, noise, image.shape) if copy or copies > 1 else 0.0
        end = (image / 255.0 + shift).clip(0, 1)
        way = end - baseline / 255.0
        points = _bits(baseline / 255.0 + shares[:, None, None, None] * way)
        total += way * _gradients(evaluator, points, target).mean(axis=0)
    return (total / copies).sum(axis=2)


def smooth_taylor(
    evaluator: Evaluator,
    image: NDArray[np.uint8],
    target: int,
    random: np.random.Generator,
    roots: int = ROOTS,
    spread: float = SPREAD,
) -> NDArray[np.float64]:
    """SmoothTaylor (Goh et al. 2020, arXiv 2004.10484, equation 7): the mean of (x - z) times the gradient at z, over roots z
    drawn about the image x. It needs no baseline."""
    near = _bits((image / 255.0 + random.normal(0, spread, (roots, *image.shape))).clip(0, 1))
    steps = image / 255.0 - near / 255.0
    return (steps * _gradients(evaluator, near, target)).mean(axis=0).sum(axis=2)


def fragments(
    evaluator: Evaluator,
    image: NDArray[np.uint8],
    baseline: NDArray[np.uint8],
    target: int,
    random: np.random.Generator,
    cuts: Sequence[NDArray[np.int64]] = (),
    masks: int = MASKS,
) -> NDArray[np.float64]:
    """Perturbed fragments at several scales (Yang et al. 2020, arXiv 2006.02659, MFPP; without gradients): fragments of the
    image are taken away at random, and a pixel's value is how much better images did that kept it, in evidence.

    Args:
        cuts: (H, W) int64 maps of pixels to fragments, such as superpixels (default: grids of three sizes).
    """
    height, width = image.shape[:2]
    cuts = cuts or [grid(height, width, side) for side in (4, 7, 14) if side <= min(height, width)]
    cuts = cuts or [grid(height, width, 1)]
    kept = np.zeros((masks, height, width), bool)
    for number in range(masks):
        cut = cuts[number % len(cuts)]
        kept[number] = (random.random(int(cut.max()) + 1) < 0.5)[cut]
    answers = ask(evaluator, np.where(kept[..., None], image, baseline)).evidence[:, target]
    there = kept.sum(axis=0)
    gained = np.tensordot(answers, kept.astype(np.float64), 1)
    lost = answers.sum() - gained
    return gained / np.maximum(there, 1) - lost / np.maximum(masks - there, 1)


def superpixels(image: NDArray[np.uint8], count: int, rounds: int = 5) -> NDArray[np.int64]:
    """(H, W) int64: fragments of like colour and place (after SLIC, Achanta et al. 2012: k-means from a grid, over colour and
    place, with all centres in sight of all pixels)."""
    height, width, channels = image.shape
    side = max(1, round(count**0.5))
    labels = grid(height, width, min(side, height, width))
    place = np.stack(np.meshgrid(np.arange(height), np.arange(width), indexing="ij"), axis=-1)
    spacing = (height * width / (side * side)) ** 0.5
    values: NDArray[np.float64] = np.concatenate(
        [image / 25.5, place * (10 / spacing) * 0.5], axis=2
    ).reshape(-1, channels + 2)
    flat = labels.ravel()
    for _ in range(rounds):
        sizes = np.bincount(flat, minlength=int(labels.max()) + 1)
        centres = np.stack(
            [np.bincount(flat, values[:, part], len(sizes)) for part in range(values.shape[1])], axis=1
        )
        means = centres[sizes > 0] / sizes[sizes > 0, None].astype(np.float64)
        distances = (values**2).sum(axis=1)[:, None] - 2 * values @ means.T + (means**2).sum(axis=1)
        flat = distances.argmin(axis=1)
    return np.unique(flat, return_inverse=True)[1].reshape(height, width)


def _bits(values: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Values in [0, 1] as 8 bits."""
    return np.rint(255 * values).astype(np.uint8)


def _gradients(evaluator: Evaluator, pixels: NDArray[np.uint8], target: int) -> NDArray[np.float64]:
    """(n, H, W, C): of the logarithm of the confidence with respect to values in [0, 1]."""
    wanted = np.full(len(pixels), target, np.int64)
    found = evaluator.evaluate(pixels, gradients=wanted).gradients
    assert found is not None
    return found.astype(np.float64)
