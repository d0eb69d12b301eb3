"""Labelled images to hold a classifier against, made into its image space."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fooling.classifiers.spec import Spec
from fooling.datasets.images import fitted
from fooling.datasets.names import Classes
from fooling.datasets.reading import Listed, list_samples, read_samples
from fooling.datasets.samples import Samples

__all__ = ["Listed", "Samples", "listed", "prepare", "read"]


def read(path: str | Path, spec: Spec) -> Samples:
    """Labelled images for a classifier.

    Args:
        path: class folders, images named by class index, a CSV, an .npz, or a folder with the IDX files of MNIST
            (`fooling.datasets.parts`); of what is split, the test images.

    Raises:
        NotFoundError: a file is not there.
        InvalidError: no such form, a class that the spec does not have, or no image.
    """
    return read_samples(Path(path), Classes(spec.labels, spec.wordnet, spec.name), spec.image_shape)


def listed(path: str | Path, spec: Spec) -> Listed:
    """As `read`, but image files are opened only when they are asked for."""
    return list_samples(Path(path), Classes(spec.labels, spec.wordnet, spec.name), spec.image_shape)


def prepare(file: Path, spec: Spec) -> NDArray[np.uint8]:
    """An image file in the image space of a spec, of its `image_shape`, uint8.

    An image of exactly that size is taken as it is. Of others, the centre is taken, seven eighths of the
    largest part of the classifier's aspect ratio (or the classifier's size, where that is more), resized bilinearly.

    Raises:
        NotFoundError: no such file.
        InvalidError: not an image, or one that can't be shown (`fooling.datasets.images`).
    """
    return fitted(file, spec.image_shape)
