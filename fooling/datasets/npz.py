"""Labelled images in one NumPy file: an .npz with the arrays

    train_x, test_x   (n, height, width, 3) uint8, or (n, height, width) or (n, height, width, 1): grey
    train_y, test_y   (n,) or (n, 1) integers, class indices
    classes           (K,) text, a name per class; may be left out

or the same under names that others use: x_train and y_train, train_images and train_labels, train_data and
train_targets; val_ for validation images; images and labels, data and targets, x and y where they are not split. It is
read without pickle, so that reading runs nobody's code, and refused if it would unfold into more than memory
is likely to hold.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fooling.datasets.samples import Samples
from fooling.errors import InvalidError, first_line

_KEYS = ("train_x", "train_y", "test_x", "test_y")
_PAIRS = (("x", "y"), ("images", "labels"), ("image", "label"), ("data", "targets"), ("data", "labels"))
_CLASSES = ("classes", "class_names", "label_names")
_SPLITS = ("train", "val", "test", "")
_MOST_BYTES = 8 << 30


def _names_of(split: str, name: str) -> tuple[str, ...]:
    """What an array may be called: the split's name may stand before or after its own."""
    return (f"{split}_{name}", f"{name}_{split}") if split else (name,)


_KNOWN = {
    *_CLASSES,
    *(known for split in _SPLITS for pair in _PAIRS for name in pair for known in _names_of(split, name)),
}


def read_parts(path: Path) -> tuple[dict[str, Samples], tuple[str, ...]]:
    """The images of each split ("train", "val", "test"; "" where there is none), and the class names, if any.

    Raises:
        InvalidError: damaged, arrays that are missing or of another shape or type, labels that name no class.
    """
    arrays = _arrays(path)
    parts: dict[str, Samples] = {}
    for split in _SPLITS:
        for pair in _PAIRS:
            x, y = (_key(arrays, split, name) for name in pair)
            if x and y:
                images = _images(path, arrays, x)
                parts[split] = Samples(images, _labels(path, arrays, y, len(images)))
                break
    lacking = {
        split: [f"{split}_{name}" for name in ("x", "y") if not _key(arrays, split, name)]
        for split in ("train", "test")
        if split not in parts
    }
    if missing := next((keys[0] for keys in lacking.values() if not parts or len(keys) == 1), None):
        raise InvalidError(
            f"{path}: expected arrays {', '.join(_KEYS)}, found {', '.join(arrays) or 'none'}: {missing} is missing"
        )
    return parts, _classes(path, arrays, max(int(part.labels.max(initial=0)) for part in parts.values()))


def _key(arrays: Mapping[str, Any], split: str, name: str) -> str | None:
    return next((key for key in arrays if key.casefold() in _names_of(split, name)), None)


def _arrays(path: Path) -> Mapping[str, NDArray[Any]]:
    try:
        with zipfile.ZipFile(path) as archive:
            unfolded = sum(part.file_size for part in archive.infolist())
        if unfolded > _MOST_BYTES:
            raise InvalidError(
                f"{path}: expected at most {_MOST_BYTES:,} bytes of arrays, found {unfolded:,} when unpacked"
            )
        with np.load(path, allow_pickle=False) as file:
            return {key: file[key] for key in file.files if key.casefold() in _KNOWN}
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, ValueError) as error:
        raise InvalidError(
            f"{path}: expected an .npz of plain arrays (numpy.savez, no objects): {first_line(error)}"
        ) from None


def _images(path: Path, arrays: Mapping[str, NDArray[Any]], key: str) -> NDArray[np.uint8]:
    array = arrays[key]
    images = array[..., None] if array.ndim == 3 else array
    if array.dtype != np.uint8 or images.ndim != 4 or images.shape[3] not in (1, 3):
        raise InvalidError(
            f"{path}: expected {key} uint8 of shape (n, height, width, 1 or 3), "
            f"found {array.dtype} {array.shape}"
        )
    return images


def _labels(path: Path, arrays: Mapping[str, NDArray[Any]], key: str, count: int) -> NDArray[np.int64]:
    array = arrays[key]
    if array.shape == (count, 1):
        array = array[:, 0]
    if array.dtype.kind not in "iu" or array.shape != (count,):
        raise InvalidError(
            f"{path}: expected {key} integers of shape ({count},), one per image, "
            f"found {array.dtype} {array.shape}"
        )
    if count and array.min() < 0:
        raise InvalidError(f"{path}: expected {key} of 0 or more, found {array.min()}")
    return array.astype(np.int64)


def _classes(path: Path, arrays: Mapping[str, NDArray[Any]], highest: int) -> tuple[str, ...]:
    key = next((key for key in _CLASSES if key in arrays), None)
    if key is None:
        return ()
    names = arrays[key]
    if names.dtype.kind != "U" or names.ndim != 1:
        raise InvalidError(f"{path}: expected {key} as text of shape (K,), found {names.dtype} {names.shape}")
    if highest >= len(names):
        raise InvalidError(
            f"{path}: expected labels from 0 to {len(names) - 1}, as there are {len(names)} classes, "
            f"found {highest}"
        )
    return tuple(str(name) for name in names)
