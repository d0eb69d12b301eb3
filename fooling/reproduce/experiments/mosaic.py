"""`mnist-mosaic`: do images evolved for the same digit show the same pattern in run after run (Nguyen, Yosinski &
Clune 2015, section 3.2 and the supplement's mosaic of 50 runs)?

What the paper shows is measured: a run's elites are told apart by the other runs' mean images. A pattern that
recurs at the same place is found in the pixels; one that recurs anywhere, or as its own negative (CPPNs fold their
output by its absolute value), in the amplitudes of the Fourier transform.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fooling.present.grid import image_grid, joined, png_of
from fooling.present.markdown import table
from fooling.reproduce.permutation_tests import PermutationTest, permutation_test
from fooling.reproduce.result import Claim, Figure, Result, Row, percent
from fooling.reproduce.workspace import Workspace
from fooling.studies.intervals import wilson

Features = NDArray[np.float64]  # (runs, classes, values)
ALPHA = 0.01
_WIDTH = 1400  # of the mosaic, in pixels, about


def perform(workspace: Workspace) -> Result:
    """Compare the elites of twenty or fifty runs with the mean images of the other runs."""
    runs = workspace.digits("cppn", seeds=range(workspace.scale.pick(50, 20)))
    images = np.array([view.images for view in runs])
    labels, chance = runs[0].labels, 1 / len(runs[0].labels)
    features = {"pixels": pixels(images[..., 0]), "spectrum": spectrum(images[..., 0])}
    hits = {name: recognised(values) for name, values in features.items()}
    tests = {name: recurrence(values) for name, values in features.items()}
    above = sum(_interval(found)[0] > chance for found in hits["pixels"].T)
    return Result(
        claims(tests["pixels"], float(hits["pixels"].mean()), above, len(labels)),
        tuple(
            Row.over(f"elites told by the other runs' mean {name}, per run", found.mean(axis=1), percent)
            for name, found in hits.items()
        ),
        tuple(
            f"{name}: {percent(test.observed)} told, {percent(test.expected)} when each run's digits are dealt at "
            f"random: {test.in_words()} elites of {len(runs)} runs."
            for name, test in tests.items()
        ),
        (
            Figure("mosaic", f"A row for each digit, a column for each of {len(runs)} runs; on the left, apart, the mean "
                   'image. The paper saw vertical bars for "1" and a low horizontal bar for "2".',
                   _mosaic(images, labels)),
        ),
        _per_digit(hits, labels),
        {name: found.mean(axis=0).tolist() for name, found in hits.items()},
    )  # fmt: skip


def pixels(images: NDArray[np.uint8]) -> Features:
    """(..., H, W) to (..., H W) in [0, 1]."""
    return images.reshape(*images.shape[:-2], -1) / 255.0


def spectrum(images: NDArray[np.uint8]) -> Features:
    """(..., H, W) to (..., values): the Fourier amplitudes without the mean, of length 1 (0 for a flat image). The
    same for an image that is shifted around the edges, its negative, and another contrast."""
    amplitudes = np.abs(np.fft.rfft2(images / 255.0))
    amplitudes[..., 0, 0] = 0.0
    flat = amplitudes.reshape(*images.shape[:-2], -1)
    lengths = np.linalg.norm(flat, axis=-1, keepdims=True)
    return np.where(lengths > 1e-9, flat / np.maximum(lengths, 1e-9), 0.0)


def recognised(features: Features, order: NDArray[np.int64] | None = None) -> NDArray[np.bool_]:
    """Whether each elite is nearest to its own class's centroid of the *other* runs.

    Args:
        features: (runs, classes, values), of two runs or more.
        order: (runs, classes): which elite is taken for which class's in each run; as they are, if left out.

    Returns:
        (runs, classes) bool.
    """
    permuted = features if order is None else np.take_along_axis(features, order[..., None], axis=1)
    centroids = (permuted.sum(axis=0) - permuted) / (len(permuted) - 1)
    # |x - c|^2 without |x|^2, which is the same for every c.
    distances = (centroids**2).sum(-1)[:, None, :] - 2 * permuted @ centroids.transpose(0, 2, 1)
    return distances.argmin(axis=-1) == np.arange(permuted.shape[1])


def recurrence(features: Features) -> PermutationTest:
    """Whether more elites are recognised than when the classes are permuted within each run: relatives stay
    together, only what they were evolved for is lost."""
    runs, classes, _ = features.shape
    as_is = np.tile(np.arange(classes), (runs, 1))

    def share(generator: np.random.Generator | None) -> float:
        order = None if generator is None else generator.permuted(as_is, axis=1)
        return float(recognised(features, order).mean())

    return permutation_test(share, runs * classes)


def claims(test: PermutationTest, share: float, above: int, classes: int) -> tuple[Claim, ...]:
    """The finding that images "tend to" look alike, taken to mean most digits; it partly holds where some do.

    Args:
        share: of the elites, those that are recognised.
        above: digits that are recognised above chance, of `classes`.
    """
    recurs = test.p <= ALPHA
    return (
        Claim(
            "Images of the same digit show the same pattern in other runs",
            recurs,
            f"The nearest of the other runs' mean images is the right digit's for {share:.0%} of {test.n} elites, "
            f"where chance has {1 / classes:.0%}.",
        ),
        Claim("They do for most digits", recurs and 2 * above > classes,
              f"Digit by digit it is above chance for {above} of {classes}."),
    )  # fmt: skip


def _interval(hits: NDArray[np.bool_]) -> tuple[float, float]:
    return wilson(int(hits.sum()), len(hits)) or (0.0, 1.0)


def _per_digit(hits: dict[str, NDArray[np.bool_]], labels: Sequence[str]) -> str:
    """A table of the shares of each digit. Its runs are independent, so Wilson's intervals hold."""
    rows = []
    for number, label in enumerate(labels):
        cells = []
        for found in hits.values():
            low, high = _interval(found[:, number])
            cells.append(f"{found[:, number].mean():.0%} ({low:.0%} to {high:.0%})")
        rows.append((label, *cells))
    runs = len(next(iter(hits.values())))
    heads = ("digit", *(f"told by {name}" for name in hits))
    return f"Digit by digit, with Wilson's 95 % intervals (n = {runs} runs each):\n\n{table(heads, rows)}"


def _mosaic(images: NDArray[np.uint8], labels: Sequence[str]) -> bytes:
    """A PNG of (runs, classes, H, W, C) images, a row a class, the mean of each row first."""
    means = list(np.rint(images.mean(axis=0)).astype(np.uint8))
    every = [image for row in images.swapaxes(0, 1) for image in row]
    side = _WIDTH // (len(images) + 1)
    left = image_grid(means, columns=1, heads=[label[:1] for label in labels], side=side, gap=2)
    apart = Image.new("RGB", (8, 1), "white")
    return png_of(joined([left, apart, image_grid(every, columns=len(images), side=side, gap=2)]))
