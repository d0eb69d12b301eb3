"""Which spatial frequencies carry the decision? The confidence of an image as its fine or its coarse parts are taken away
(after the frequency analysis of Li et al. 2020, f-mixup)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fooling.runs.evaluator import Evaluator
from fooling.validation import Data, Many

STEPS = 16


class Bands(Data):
    """The confidence of an image in its class, filtered.

    Attributes:
        radii: of the filters, as a share of the highest frequency, that of the spectrum's corners; 0 to 1.
        low_pass: the confidence where frequencies up to the radius are left.
        high_pass: the confidence where those above the radius are left, and the mean.
        clipped: the largest share of an image's values that a filter made less than 0 or more than 255.
        half: the smallest radius at which the low-passed image has half the image's own confidence.
    """

    radii: Many[float]
    low_pass: Many[float]
    high_pass: Many[float]
    clipped: float
    half: float


def bands(evaluator: Evaluator, image: NDArray[np.uint8], target: int) -> Bands:
    """Ask about an image, (H, W, C) uint8, with less and less of its frequencies."""
    radii = np.linspace(0, 1, STEPS)
    low: list[NDArray[np.uint8]] = []
    high: list[NDArray[np.uint8]] = []
    clipped = 0.0
    for radius in radii:
        for kept, band in ((low, low_pass(image, radius)), (high, high_pass(image, radius))):
            clipped = max(clipped, float(((band < -0.5) | (band > 255.5)).mean()))
            kept.append(to_pixels(band))
    confidences = evaluator.evaluate(np.stack(low + high)).confidences[:, target].astype(np.float64)
    of_low, of_high = confidences[: len(radii)], confidences[len(radii) :]
    return Bands(
        radii=tuple(radii.tolist()),
        low_pass=tuple(of_low.tolist()),
        high_pass=tuple(of_high.tolist()),
        clipped=clipped,
        half=float(radii[np.argmax(of_low >= of_low[-1] / 2)]),
    )


def low_pass(image: NDArray[np.uint8], radius: float) -> NDArray[np.float64]:
    """(H, W, C) float64: an image with frequencies up to a radius. At 0 only the mean is left, at 1 all of it."""
    kept = _frequencies(*image.shape[:2]) <= radius + 1e-9
    spectrum = np.fft.fft2(image.astype(np.float64), axes=(0, 1)) * kept[:, :, None]
    return np.fft.ifft2(spectrum, axes=(0, 1)).real


def high_pass(image: NDArray[np.uint8], radius: float) -> NDArray[np.float64]:
    """(H, W, C) float64: the frequencies above a radius, and the mean."""
    return image - low_pass(image, radius) + image.mean(axis=(0, 1))


def to_pixels(values: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Values around [0, 255] as 8 bits, clipped."""
    return np.rint(values).clip(0, 255).astype(np.uint8)


def _frequencies(height: int, width: int) -> NDArray[np.float64]:
    """(H, W): the distance of each coefficient from the mean's, in cycles per pixel, over that of the farthest."""
    distance = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.fftfreq(width)[None, :])
    return distance / max(float(distance.max()), np.finfo(np.float64).tiny)
