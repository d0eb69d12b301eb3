"""The IDX format of MNIST (LeCun, http://yann.lecun.com/exdb/mnist): two zero bytes, a type code, the number
of dimensions, the dimensions as big-endian 32-bit integers, the data. Plain or gzipped; bytes only."""

from __future__ import annotations

import gzip
import math
import re
import struct
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fooling.datasets.images import visible
from fooling.datasets.samples import Samples
from fooling.errors import InvalidError, NotFoundError

_UNSIGNED_BYTE = 0x08
_NAMES = {"train": "train", "test": "t10k|test"}


def read(path: Path) -> NDArray[np.uint8]:
    """The array in an IDX file of unsigned bytes, of the shape that its header states.

    Raises:
        NotFoundError: no such file.
        InvalidError: not IDX, not bytes, or fewer or more of them than the header states.
    """
    try:
        data = path.read_bytes()
        if data[:2] == b"\x1f\x8b":
            data = gzip.decompress(data)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InvalidError(f"{path}: expected a complete gzip file: {error}") from None
    except OSError as error:
        raise NotFoundError(f"{path}: expected an IDX file: {error.strerror}") from None
    if len(data) < 4 or data[0] or data[1] or data[2] != _UNSIGNED_BYTE:
        raise InvalidError(
            f"{path}: expected an IDX file of bytes (magic 0000 08), found {data[:3].hex(' ')}"
        )
    start = 4 + 4 * data[3]
    if len(data) < start:
        raise InvalidError(
            f"{path}: expected {data[3]} dimensions, found the file cut off after {len(data)} bytes"
        )
    shape = struct.unpack(f">{data[3]}I", data[4:start])
    if len(data) - start != math.prod(shape):
        raise InvalidError(
            f"{path}: expected {math.prod(shape)} bytes of shape {shape}, found {len(data) - start}"
        )
    return np.frombuffer(data, np.uint8, offset=start).reshape(shape)


def parts(folder: Path) -> list[str]:
    """The splits of which a folder has IDX files: "train", "test"."""
    return [split for split in _NAMES if any(_named(folder, split, what) for what in ("images", "labels"))]


def read_part(folder: Path, split: str) -> Samples:
    """The images and labels of a split, "train" or "test", from files named as MNIST's are
    (`t10k-images-idx3-ubyte.gz`), or with the data set's name before that, plain or .gz.

    Raises:
        NotFoundError: one of the two files is not there.
        InvalidError: a damaged file, or images and labels that do not match.
    """
    images_path, labels_path = _find(folder, split, "images"), _find(folder, split, "labels")
    images, labels = read(images_path), read(labels_path)
    if images.ndim != 3:
        raise InvalidError(f"{images_path}: expected images (n, height, width), found shape {images.shape}")
    if labels.shape != images.shape[:1]:
        raise InvalidError(f"{labels_path}: expected {len(images)} labels, found shape {labels.shape}")
    return Samples(images[..., None], labels.astype(np.int64))


def _named(folder: Path, split: str, what: str) -> list[Path]:
    name = re.compile(rf"(.+-)?({_NAMES[split]})-{what}[-.].*")
    return [path for path in visible(folder.iterdir()) if name.fullmatch(path.name) and path.is_file()]


def _find(folder: Path, split: str, what: str) -> Path:
    """The file, plain rather than .gz where both are there."""
    found = _named(folder, split, what)
    if not found:
        first = _NAMES[split].partition("|")[0]
        raise NotFoundError(f"{folder}: expected a file {first}-{what}-idx*-ubyte or .gz, found none")
    if len({path.name.removesuffix(".gz") for path in found}) > 1:
        raise InvalidError(
            f"{folder}: expected the files of one data set, found {found[0].name} and {found[1].name}"
        )
    return found[0]
