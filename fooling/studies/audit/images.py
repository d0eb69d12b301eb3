"""The real images of an audit, in three parts that share no image."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fooling.datasets.samples import Samples
from fooling.errors import InvalidError

# Of four images of a class, two are for fitting, one is for thresholds, one for what is reported.
FIT, CALIBRATION, TEST = (0, 2), (1,), (3,)
LEAST = 20  # images, of all parts together


@dataclass(frozen=True)
class Labelled:
    """Images and their classes.

    Attributes:
        pixels: (n, H, W, C) uint8, of the classifier's size and channels.
        classes: (n,) int64.
    """

    pixels: NDArray[np.uint8]
    classes: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.classes)

    def take(self, rows: NDArray[np.int64]) -> Labelled:
        """Some of them."""
        return Labelled(self.pixels[rows], self.classes[rows])


@dataclass(frozen=True)
class Real:
    """Labelled real images.

    Attributes:
        fit: what detectors are fitted to.
        calibration: what thresholds are set on.
        test: what is reported.
        digest: SHA-256 of the three, in hex.
        form: what they were read from, in words.
        doubts: what looks wrong about them, a line each.
    """

    fit: Labelled
    calibration: Labelled
    test: Labelled
    digest: str
    form: str = ""
    doubts: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.fit) + len(self.calibration) + len(self.test)


def split(samples: Samples, seed: int, most: int) -> Real:
    """Cut labelled images into three parts, at random within each class. Of images that are there twice, one is used, so that no image
    is in two parts.

    Args:
        most: images that are used at most.

    Raises:
        InvalidError: fewer than twenty images.
    """
    flat = np.ascontiguousarray(samples.images).reshape(len(samples), -1)
    _, first = np.unique(flat.view(np.dtype((np.void, flat.shape[1]))).ravel(), return_index=True)
    rows = np.sort(first)
    if len(rows) < LEAST:
        raise InvalidError(
            f"expected at least {LEAST} different labelled images, found {len(rows)}: thresholds on fewer mean nothing"
        )
    rows = np.random.Generator(np.random.Philox(key=seed)).permutation(rows)[:most]
    rows = rows[np.argsort(samples.labels[rows], kind="stable")]
    images, place = Labelled(samples.images, samples.labels), np.arange(len(rows)) % 4
    fit, calibration, test = (
        images.take(np.sort(rows[np.isin(place, part)])) for part in (FIT, CALIBRATION, TEST)
    )
    doubts = samples.doubts
    if len(first) < len(samples):
        doubts = (*doubts, f"{len(samples) - len(first)} images are there more than once")
    return Real(fit, calibration, test, digest_of(fit, calibration, test), samples.form, doubts)


def digest_of(*parts: Labelled) -> str:
    """SHA-256 of images and classes, in hex."""
    sha = hashlib.sha256()
    for part in parts:
        sha.update(str(part.pixels.shape).encode())
        sha.update(np.ascontiguousarray(part.pixels).data)
        sha.update(part.classes.astype("<i8").tobytes())
    return sha.hexdigest()
