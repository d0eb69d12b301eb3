"""`mnist-mosaic`: do images evolved for the same digit show the same pattern in run after run (Nguyen, Yosinski &
Clune 2015, section 3.2 and the supplement's mosaic of 50 runs)?

What the paper shows is measured: a run's elites are told apart by the other runs' mean images. A pattern that
recurs at the same place is found in the pixels; one that recurs anywhere, or as its own negative (CPPNs fold their
output by its absolute value), in the amplitudes of the Fourier transform.
"""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from fooling.present.markdown import table
from fooling.reproduce.permutation_tests import PermutationTest, permutation_test
from fooling.reproduce.result import Figure, Result, Row, Verdict, percent, spread
from fooling.reproduce.workspace import Workspace
from fooling.studies.intervals import wilson

Features = NDArray[np.float64]  # (runs, classes, values)
ALPHA = 0.01


def perform(workspace: Workspace) -> Result:
    """Twenty runs or fifty, each told by the others."""
    runs = workspace.digits("cppn", seeds=range(workspace.scale.pick(50, 20)))
    images = np.array([view.images for view in runs])[..., 0]
    labels = runs[0].labels
    chance = 1 / len(labels)
    hits = {name: recognised(features) for name, features in _features(images).items()}
    tests = {name: recurrence(features) for name, features in _features(images).items()}
    above = {name: [_low(hit) > chance for hit in found.T] for name, found in hits.items()}
    return Result(
        verdict(tests["pixels"], sum(above["pixels"]), len(labels)),
        f"The nearest of the other runs' mean images is the right digit's for {hits['pixels'].mean():.0%} of "
        f"{images.shape[0] * images.shape[1]} elites, where chance has {chance:.0%}; digit by digit it is above "
        f"chance for {sum(above['pixels'])} of {len(labels)}.",
        tuple(_row(name, found) for name, found in hits.items()),
        tuple(
            f"{name}: {percent(test.observed)} told, {percent(test.expected)} when each run's digits are dealt at "
            f"random: {test.in_words()} elites of {len(runs)} runs."
            for name, test in tests.items()
        ),
        (
            Figure(
                "mosaic",
                f"A row for each digit, a column for each of {len(runs)} runs; on the left, apart, the mean image. "
                'The paper saw vertical bars for "1" and a low horizontal bar for "2".',
                _mosaic(images, labels),
            ),
        ),
        _per_digit(hits, labels),
        {name: found.mean(axis=0).tolist() for name, found in hits.items()},
    )


def _features(images: NDArray[np.uint8]) -> dict[str, Features]:
    """Of (runs, classes, H, W) images."""
    return {"pixels": pixels(images), "spectrum": spectrum(images)}


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
    dealt = features if order is None else np.take_along_axis(features, order[..., None], axis=1)
    centroids = (dealt.sum(axis=0) - dealt) / (len(dealt) - 1)
    # |x - c|^2 without |x|^2, which is the same for every c.
    distances = (centroids**2).sum(-1)[:, None, :] - 2 * dealt @ centroids.transpose(0, 2, 1)
    return distances.argmin(axis=-1) == np.arange(dealt.shape[1])


def recurrence(features: Features) -> PermutationTest:
    """Whether more elites are recognised than when the classes are dealt anew within each run: relatives stay
    together, only what they were evolved for is lost."""
    runs, classes, _ = features.shape
    as_is = np.tile(np.arange(classes), (runs, 1))

    def share(generator: np.random.Generator | None) -> float:
        order = None if generator is None else generator.permuted(as_is, axis=1)
        return float(recognised(features, order).mean())

    return permutation_test(share, runs * classes)


def verdict(test: PermutationTest, above: int, classes: int) -> Verdict:
    """ "Tend to" is most digits; some digits are part of it."""
    if test.p > ALPHA:
        return "not reproduced"
    return "reproduced" if 2 * above > classes else "partly"


def _low(hits: NDArray[np.bool_]) -> float:
    interval = wilson(int(hits.sum()), len(hits))
    assert interval is not None
    return interval[0]


def _row(name: str, hits: NDArray[np.bool_]) -> Row:
    shares = tuple(hits.mean(axis=1).tolist())
    return Row(f"elites told by the other runs' mean {name}, per run", "–", spread(shares, percent), shares)


def _per_digit(hits: dict[str, NDArray[np.bool_]], labels: Sequence[str]) -> str:
    """A table: independent runs, so Wilson's intervals hold."""
    rows = []
    for number, label in enumerate(labels):
        cells = []
        for found in hits.values():
            own = found[:, number]
            low, high = wilson(int(own.sum()), len(own)) or (0.0, 1.0)
            cells.append(f"{own.mean():.0%} ({low:.0%} to {high:.0%})")
        rows.append((label, *cells))
    runs = len(next(iter(hits.values())))
    heads = ("digit", *(f"told by {name}" for name in hits))
    return f"Digit by digit, with Wilson's 95 % intervals (n = {runs} runs each):\n\n{table(heads, rows)}"


_WIDTH, _GAP, _LEFT = 1400, 2, 16


def _mosaic(images: NDArray[np.uint8], labels: Sequence[str]) -> bytes:
    """A PNG of (runs, classes, H, W) images, a row a class, the mean of each row first."""
    runs, classes, height, width = images.shape
    zoom = max(1, _WIDTH // ((runs + 1) * (width + _GAP)))
    high, wide = height * zoom + _GAP, width * zoom + _GAP
    means = np.rint(images.mean(axis=0)).astype(np.uint8)
    page = Image.new("L", (_LEFT + (runs + 1) * wide + 3 * _GAP, classes * high), 255)
    draw, font = ImageDraw.Draw(page), ImageFont.load_default(13)
    for row in range(classes):
        draw.text((2, row * high + high / 2), labels[row][:1], 30, font, anchor="lm")
        for column, image in enumerate((means[row], *images[:, row])):
            big = image.repeat(zoom, axis=0).repeat(zoom, axis=1)
            page.paste(
                Image.fromarray(big), (_LEFT + column * wide + (3 * _GAP if column else 0), row * high)
            )
    buffer = io.BytesIO()
    page.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()
