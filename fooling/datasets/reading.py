"""Labelled images read into memory, in the form that a classifier or a training takes them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fooling.datasets.entries import Entry, classes_of, derived
from fooling.datasets.images import fitted, open_image
from fooling.datasets.names import Classes
from fooling.datasets.parts import TEST, TRAIN, VALIDATION, WHOLE, Part, parts_of
from fooling.datasets.samples import Samples
from fooling.errors import InvalidError

Shape = tuple[int, int, int]


@dataclass(frozen=True)
class Listed:
    """Labelled images of which each is read only when it is asked for: an album may be larger than memory.

    Attributes:
        labels: (n,) int64, class indices.
        image: gives the pixels of one by its number, (height, width, channels) uint8; raises as `open_image` where its
            file is none.
        form, doubts: see `Samples`.
    """

    labels: NDArray[np.int64]
    image: Callable[[int], NDArray[np.uint8]]
    form: str = ""
    doubts: tuple[str, ...] = ()

    def read(self) -> Samples:
        """All of them."""
        images = np.stack([self.image(number) for number in range(len(self.labels))])
        return Samples(images, self.labels, self.form, self.doubts)


def list_samples(path: Path, classes: Classes, shape: Shape) -> Listed:
    """The images that `read_samples` reads, where image files are opened only when they are asked for.

    Raises:
        As `read_samples`, but for what is wrong with an image file.
    """
    _, part = _held_out(path)
    return _list(path, part, classes, shape)


def read_samples(path: Path, classes: Classes, shape: Shape) -> Samples:
    """Images to hold a classifier against: all there are, or the test images (else validation, else training
    images) of what is split.

    Args:
        shape: (height, width, channels) of its images.

    Raises:
        NotFoundError: a file is not there.
        InvalidError: no known form, a class that there is not, a file that is no image, or arrays of another shape.
    """
    split, part = _held_out(path)
    samples = _read(path, part, classes, shape)
    if split == TRAIN:
        samples = replace(samples, doubts=(*samples.doubts, f"{path}: there are training images only"))
    return replace(samples, form=f"{samples.form}, {split}" if split else samples.form)


def read_splits(path: Path, shape: Shape | None = None) -> tuple[Samples, Samples, tuple[str, ...]]:
    """Training images, test images (validation images where there are none) and the names of their classes,
    "0", "1", ... where these have none.

    Args:
        shape: (height, width, channels) that image files are brought to; None: they all have one size.

    Raises:
        As `read_samples`; also where training or test images are missing.
    """
    parts = parts_of(path)
    held_out = TEST if TEST in parts else VALIDATION
    if TRAIN not in parts or held_out not in parts:
        found = ", ".join(sorted(parts)) if WHOLE not in parts else "images that are not split"
        raise InvalidError(
            f"{path}: expected training and test images (folders train and test, a column split, train_x and "
            f"test_x, or MNIST's four files), found {found}"
        )
    training, test = parts[TRAIN], parts[held_out]
    if training.arrays is not None and test.arrays is not None:
        arrays = training.arrays(), test.arrays()
        highest = max(int(part.labels.max(initial=0)) for part in arrays)
        return *arrays, training.names or tuple(str(index) for index in range(highest + 1))
    if not (training.entries and test.entries):
        raise InvalidError(
            f"{path}: expected training and test images in one form, found {training.form} and {test.form}"
        )
    classes = derived([*training.entries, *test.entries])
    shape = shape or _common_shape([*training.entries, *test.entries])
    return _read(path, training, classes, shape), _read(path, test, classes, shape), classes.labels


def _held_out(path: Path) -> tuple[str, Part]:
    """The split that classifiers are held against, and its images."""
    parts = parts_of(path)
    return next((name, parts[name]) for name in (WHOLE, TEST, VALIDATION, TRAIN) if name in parts)


def _read(path: Path, part: Part, classes: Classes, shape: Shape) -> Samples:
    if part.arrays is not None:
        return _from_arrays(path, part, part.arrays(), classes, shape)
    return _list(path, part, classes, shape).read()


def _list(path: Path, part: Part, classes: Classes, shape: Shape) -> Listed:
    if part.arrays is not None:
        samples = _from_arrays(path, part, part.arrays(), classes, shape)
        return Listed(samples.labels, lambda number: samples.images[number], samples.form, samples.doubts)
    doubt = None if len(part.entries) == len(classes) else part.doubt
    try:
        labels, form = classes_of(part.entries, classes)
    except InvalidError as error:
        raise InvalidError(f"{error}; {doubt}" if doubt else str(error)) from None
    words = f"{part.form} by {form}" if form else part.form

    def image(number: int) -> NDArray[np.uint8]:
        return fitted(part.entries[number].file, shape)

    return Listed(np.array(labels, np.int64), image, words, (doubt,) if doubt else ())


def _from_arrays(path: Path, part: Part, arrays: Samples, classes: Classes, shape: Shape) -> Samples:
    if (found := arrays.images.shape[1:]) != shape:
        raise InvalidError(f"{path}: expected images of shape {shape} for {classes.owner}, found {found}")
    labels = arrays.labels
    if part.names and (table := _by_names(part.names, classes)) is not None:
        labels = table[labels]
    elif (highest := int(labels.max(initial=0))) >= len(classes):
        raise InvalidError(f"{path}: expected a class below {len(classes)}, found {highest}")
    return Samples(arrays.images, labels, part.form)


def _by_names(names: Sequence[str], classes: Classes) -> NDArray[np.int64] | None:
    """The class of each name; None where not every name is one's, and indices have to do."""
    found = [classes.with_label(name) for name in names]
    if any(len(of) != 1 for of in found):
        return None
    return np.array([of[0] for of in found], np.int64)


def _common_shape(entries: Sequence[Entry]) -> Shape:
    """The shape of image files that all have one size: grey where all are grey."""
    width, height = open_image(entries[0].file).size
    grey = True
    for entry in entries:
        image = open_image(entry.file)
        grey &= image.mode == "L"
        if image.size != (width, height):
            raise InvalidError(
                f"{entry.file}: expected {width} x {height} pixels, as {entries[0].file} has, found "
                f"{image.width} x {image.height}"
            )
    return height, width, 1 if grey else 3
