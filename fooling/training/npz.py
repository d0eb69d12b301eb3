"""Training data in one NumPy file: an .npz with the arrays

    train_x, test_x   (n, side, side, 3) uint8, or (n, side, side) or (n, side, side, 1) where they are grey
    train_y, test_y   (n,) integers, class indices
    classes           (K,) text, a name per class; may be left out

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

from fooling.classifiers.samples import Samples
from fooling.errors import InvalidError

_KEYS = ("train_x", "train_y", "test_x", "test_y")
_MOST_BYTES = 8 << 30


def read(path: Path) -> tuple[Samples, Samples, tuple[str, ...]]:
    """Training set, test set and class names.

    Raises:
        InvalidError: damaged, arrays that are missing or of another shape or type, labels that name no class.
    """
    arrays = _arrays(path)
    images = {part: _images(path, arrays, f"{part}_x") for part in ("train", "test")}
    labels = {part: _labels(path, arrays, f"{part}_y", len(images[part])) for part in ("train", "test")}
    highest = max(int(part.max(initial=0)) for part in labels.values())
    classes = _classes(path, arrays, highest)
    return Samples(images["train"], labels["train"]), Samples(images["test"], labels["test"]), classes


def _arrays(path: Path) -> Mapping[str, NDArray[Any]]:
    try:
        with zipfile.ZipFile(path) as archive:
            unfolded = sum(part.file_size for part in archive.infolist())
        if unfolded > _MOST_BYTES:
            raise InvalidError(
                f"{path}: expected at most {_MOST_BYTES:,} bytes of arrays, found {unfolded:,} when unpacked"
            )
        with np.load(path, allow_pickle=False) as file:
            if missing := [key for key in _KEYS if key not in file.files]:
                raise InvalidError(
                    f"{path}: expected arrays {', '.join(_KEYS)}, found {', '.join(file.files) or 'none'}: "
                    f"{missing[0]} is missing"
                )
            return {key: file[key] for key in (*_KEYS, "classes") if key in file.files}
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, ValueError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise InvalidError(
            f"{path}: expected an .npz of plain arrays (numpy.savez, no objects): {reason}"
        ) from None


def _images(path: Path, arrays: Mapping[str, NDArray[Any]], key: str) -> NDArray[np.uint8]:
    array = arrays[key]
    images = array[..., None] if array.ndim == 3 else array
    if (
        array.dtype != np.uint8
        or images.ndim != 4
        or images.shape[1] != images.shape[2]
        or images.shape[3] not in (1, 3)
    ):
        raise InvalidError(
            f"{path}: expected {key} uint8 of shape (n, side, side, 1 or 3), "
            f"found {array.dtype} {array.shape}"
        )
    return images


def _labels(path: Path, arrays: Mapping[str, NDArray[Any]], key: str, count: int) -> NDArray[np.int64]:
    array = arrays[key]
    if array.dtype.kind not in "iu" or array.shape != (count,):
        raise InvalidError(
            f"{path}: expected {key} integers of shape ({count},), one per image, "
            f"found {array.dtype} {array.shape}"
        )
    if count and array.min() < 0:
        raise InvalidError(f"{path}: expected {key} of 0 or more, found {array.min()}")
    return array.astype(np.int64)


def _classes(path: Path, arrays: Mapping[str, NDArray[Any]], highest: int) -> tuple[str, ...]:
    if "classes" not in arrays:
        return tuple(str(index) for index in range(highest + 1))
    names = arrays["classes"]
    if names.dtype.kind != "U" or names.ndim != 1:
        raise InvalidError(
            f"{path}: expected classes as text of shape (K,), found {names.dtype} {names.shape}"
        )
    if highest >= len(names):
        raise InvalidError(
            f"{path}: expected labels from 0 to {len(names) - 1}, as there are {len(names)} classes, "
            f"found {highest}"
        )
    return tuple(str(name) for name in names)
