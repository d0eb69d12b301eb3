"""Where training images come from: a folder with the four files of MNIST, or an .npz."""

from __future__ import annotations

from pathlib import Path

from fooling.classifiers.samples import Samples
from fooling.errors import NotFoundError
from fooling.training import idx, npz


def read(path: Path) -> tuple[Samples, Samples, tuple[str, ...]]:
    """Training set, test set and class names ("0", "1", ... where the data has none).

    Raises:
        NotFoundError: a file is not there.
        InvalidError: a file is damaged, or says something that cannot be.
    """
    if path.is_dir():
        training, test = idx.read_folder(path)
        classes = 1 + int(max(training.labels.max(initial=0), test.labels.max(initial=0)))
        return training, test, tuple(str(index) for index in range(classes))
    if not path.exists():
        raise NotFoundError(
            f"{path}: expected a folder with the four files of MNIST, or an .npz with train_x, train_y, "
            "test_x and test_y; found nothing"
        )
    return npz.read(path)
