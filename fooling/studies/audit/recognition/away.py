"""A classifier whose confidence of a half or more in a class counts only for images that do not look like the class: what
a search is given that is to fool, and not to draw.

From one half on, the confidence of an image that is as near to real images of the class as they are to each other
becomes half of what is missing to that nearness: below a half, and the lower the nearer. So the search finds images that
the network is halfway sure of, is led away from the class, and then up. Nearness is that in pixels, which asks no network
and so can't be fooled (`likeness`); a class that pixels can't tell from others is left as it is.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fooling.classifiers import Classifier, Numerics
from fooling.classifiers import samples as labelled
from fooling.classifiers.wrapped import wrapped
from fooling.studies.audit.images import Labelled, split
from fooling.studies.audit.recognition.likeness import Space, flat, shifted, space_of
from fooling.studies.audit.recognition.pictures import LIKE

_HALF = np.float32(0.5)


@dataclass(frozen=True)
class Away:
    """The answers of a network, held away from real images (`fooling.classifiers.wrapped.Answering`).

    Attributes:
        classifier: the network.
        space: of the real images, in pixels.
        digest: of the real images.
    """

    classifier: Classifier
    space: Space
    digest: str

    @property
    def identity(self) -> str:
        """For the fingerprint."""
        return f"{self.classifier.fingerprint} away from {self.digest}"

    def __call__(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(n, K) of (n, H, W, C) uint8."""
        found = self.classifier.classify(pixels, allow_nan=True).copy()
        rows, classes = np.nonzero(found >= _HALF)
        if len(rows):
            near, _ = self.space.nearness(shifted(pixels[rows]), classes.astype(np.int64))
            like = near >= LIKE  # False where the class has no scale
            found[rows[like], classes[like]] = _HALF * (1 - near[like])
        return found

    def under(self, numerics: Numerics) -> Away:
        """The same, its network computing under other numerics."""
        return replace(self, classifier=self.classifier.with_numerics(numerics))


def away_from(classifier: Classifier, kept: Labelled, held: Labelled) -> Classifier:
    """The classifier, held away from real images.

    Args:
        kept: real images that are compared with.
        held: others, whose distances say what is near.
    """
    space = space_of(flat(kept.pixels), kept.classes, shifted(held.pixels), held.classes)
    sha = hashlib.sha256()
    for images in (kept, held):
        sha.update(np.ascontiguousarray(images.pixels).data)
        sha.update(images.classes.astype("<i8").tobytes())
    answering = Away(classifier, space, sha.hexdigest())
    return wrapped(
        answering, classifier.spec, classifier.numerics, f"{classifier.spec.name} away from its classes"
    )


def away_from_samples(
    classifier: Classifier, samples: str | Path, seed: int = 0, most: int = 5000
) -> Classifier:
    """The classifier, held away from labelled real images, for `fooling.run(classifier=...)`.

    Args:
        samples: in any form that `fooling.datasets` reads.
        seed: of their split.
        most: images that are used at most.

    Raises:
        NotFoundError, InvalidError: as `fooling.classifiers.samples.read`; or fewer than twenty images.
    """
    real = split(labelled.read(samples, classifier.spec), seed, most)
    return away_from(classifier, real.fit, real.calibration)
