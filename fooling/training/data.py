"""Where training images come from: every form that `fooling.datasets` reads, where it has training and test images."""

from __future__ import annotations

from pathlib import Path

from fooling.classifiers import architectures
from fooling.datasets.reading import Shape, read_splits
from fooling.datasets.samples import Samples
from fooling.sizes import channels_of


def read(path: Path, shape: Shape | None = None) -> tuple[Samples, Samples, tuple[str, ...]]:
    """Training set, test set and class names ("0", "1", ... where the data has none).

    Args:
        shape: (height, width, channels) that image files are brought to; None: they all have one size.

    Raises:
        NotFoundError: a file is not there.
        InvalidError: a file is damaged, or says something that cannot be.
    """
    return read_splits(path, shape)


def shape_for(architecture: str) -> Shape:
    """(height, width, channels) of the images that an architecture is trained on.

    Raises:
        InvalidError: no such architecture.
    """
    found = architectures.find(architecture)
    return found.size, found.size, channels_of(found.colour)
