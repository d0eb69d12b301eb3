"""The images that are trained on: a user's, and the class "fooling" that is added to them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fooling.datasets.reading import Shape
from fooling.datasets.samples import Samples
from fooling.errors import InvalidError
from fooling.training import data as files

FOOLING = "fooling"
WHAT_TO_GIVE = (
    "a folder with the four files of MNIST (train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-..., plain "
    "or .gz), an .npz with train_x, train_y, test_x and test_y, or folders train and test of class folders"
)


@dataclass(frozen=True)
class Data:
    """Training and test images, and the names of their classes.

    Attributes:
        training: images (n, height, width, channels) uint8 and their labels, 0 to K - 1.
        test: likewise.
        labels: the K names.
    """

    training: Samples
    test: Samples
    labels: tuple[str, ...]

    def __post_init__(self) -> None:
        if FOOLING in self.labels:
            raise InvalidError(f"expected no class named {FOOLING!r} in the data: retraining adds it")
        if not len(self.training) or not len(self.test):
            raise InvalidError(
                f"expected training and test images, found {len(self.training)} and {len(self.test)}"
            )
        if self.training.images.shape[1:] != self.test.images.shape[1:]:
            raise InvalidError(
                f"expected test images of shape {self.training.images.shape[1:]} as those for training, "
                f"found {self.test.images.shape[1:]}"
            )

    @property
    def mean_class(self) -> float:
        """Training images of a class, in the mean."""
        return len(self.training) / len(self.labels)

    @cached_property
    def digest(self) -> str:
        """SHA-256, in hex, of images and labels."""
        sha = hashlib.sha256()
        for part in (self.training, self.test):
            sha.update(np.ascontiguousarray(part.images).data)
            sha.update(part.labels.astype("<i8").tobytes())
        return sha.hexdigest()

    def share(self, size: float) -> Data:
        """With the first images of each class only, that share of them, at least one; the test set is whole."""
        if size == 1.0:
            return self
        labels = self.training.labels
        rows = np.concatenate(
            [
                of[: max(1, round(size * len(of)))]
                for k in range(len(self.labels))
                if len(of := np.flatnonzero(labels == k))
            ]
        )
        rows.sort()
        return replace(self, training=Samples(self.training.images[rows], labels[rows]))

    def with_fooling(self, images: Sequence[NDArray[np.uint8]]) -> Samples:
        """The training set with the class "fooling" as its last, made of some (m, height, width, channels)."""
        if not images:
            return self.training
        more = np.concatenate(images)
        return Samples(
            np.concatenate([self.training.images, more]),
            np.concatenate([self.training.labels, np.full(len(more), len(self.labels), np.int64)]),
        )


def read(path: str | Path, shape: Shape | None = None) -> Data:
    """A user's images, in any form that has training and test images (`fooling.datasets.parts`).

    Args:
        shape: (height, width, channels) that image files are brought to; None: they all have one size.

    Raises:
        NotFoundError: a file is not there.
        InvalidError: damaged, or not such images.
    """
    return Data(*files.read(Path(path), shape))
