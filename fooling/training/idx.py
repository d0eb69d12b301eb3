"""The IDX format of MNIST (LeCun, http://yann.lecun.com/exdb/mnist): two zero bytes, a type code, the number
of dimensions, the dimensions as big-endian 32-bit integers, the data. Plain or gzipped; bytes only."""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fooling.classifiers.samples import Samples
from fooling.errors import InvalidError, NotFoundError

_UNSIGNED_BYTE = 0x08


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


def read_folder(folder: Path) -> tuple[Samples, Samples]:
    """Training and test set of a folder with the four files of MNIST, plain or .gz.

    Raises:
        NotFoundError: one of the four is not there.
        InvalidError: a damaged file, or images and labels that do not match.
    """
    return read_part(folder, "train"), read_part(folder, "t10k")


def read_part(folder: Path, part: str) -> Samples:
    """The images and labels of one part: "train" or "t10k".

    Raises:
        As `read_folder`.
    """
    images_path, labels_path = _find(folder, f"{part}-images"), _find(folder, f"{part}-labels")
    images, labels = read(images_path), read(labels_path)
    if images.ndim != 3 or images.shape[1] != images.shape[2]:
        raise InvalidError(
            f"{images_path}: expected square images (n, side, side), found shape {images.shape}"
        )
    if labels.shape != images.shape[:1]:
        raise InvalidError(f"{labels_path}: expected {len(images)} labels, found shape {labels.shape}")
    return Samples(images[..., None], labels.astype(np.int64))


def _find(folder: Path, stem: str) -> Path:
    found = sorted(path for path in folder.glob(f"{stem}*") if path.is_file())
    if not found:
        raise NotFoundError(f"{folder}: expected a file {stem}-idx*-ubyte or {stem}*.gz, found none")
    return found[0]
