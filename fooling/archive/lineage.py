"""The lineage file: where every image that ever became an elite came from.

Records of 11 little-endian int32, appended in the order (generation, stream, child):

    generation, stream, child,
    generation, stream, child of the parent, and the cell whose elite it was when it was chosen,
    the same four of the mate

-1 stands where there is no parent (the first generation) or no mate (encodings without crossover). Where parents
need not have been elites (the search `single-class`), an elite's ancestors are appended with it.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from fooling.errors import InvalidError
from fooling.untrusted import open_plain

WIDTH = 11
RECORD = WIDTH * 4  # bytes
LONGEST = 2**30  # bytes that are read; 20,000 generations of 1,000 classes may take 400 MB
NONE = np.zeros((0, WIDTH), np.int32)  # no records
NONE.flags.writeable = False


def records(
    ids: NDArray[np.int32],
    parents: NDArray[np.int32] | None = None,
    mates: NDArray[np.int32] | None = None,
) -> NDArray[np.int32]:
    """Records (N, 11) of images `ids` (N, 3); parents and mates are (N, 4): id and cell."""
    table = np.full((len(ids), WIDTH), -1, np.int32)
    table[:, :3] = ids
    if parents is not None:
        table[:, 3:7] = parents
    if mates is not None:
        table[:, 7:11] = mates
    return table[np.lexsort((table[:, 2], table[:, 1], table[:, 0]))]


def to_bytes(table: NDArray[np.int32]) -> bytes:
    """Records as the file holds them."""
    return table.astype("<i4", copy=False).tobytes()


def read(path: Path, length: int | None = None) -> NDArray[np.int32]:
    """The records of a lineage file, (N, 11).

    Args:
        length: only those in so many bytes: up to a checkpoint.

    Raises:
        InvalidError: there is no such file, it is shorter, or it does not consist of records.
    """
    with _opened(path, length or 0) as file:
        length = min(LONGEST, os.fstat(file.fileno()).st_size) if length is None else length
        if length % RECORD:
            raise InvalidError(f"{path}: expected records of {RECORD} bytes, found {length} bytes")
        return np.frombuffer(file.read(length), "<i4").reshape(-1, WIDTH)


def check(table: NDArray[np.int32], path: Path, generation: int, cells: int, bred: bool) -> None:
    """Whether records are those of a run up to some generation: each image once, each parent older than its child.

    Args:
        table: (N, 11).
        path: of their file, for errors.
        cells: how many the archive has.
        bred: by MAP-Elites: in their order, parents from generation 1 on only, and a mate for all or none.

    Raises:
        InvalidError: the first record that can't be.
    """
    own, bred_later = table[:, :3], table[:, 0] > 0
    wrong = {"an image of the run": (own < 0).any(axis=1) | (own[:, 0] > generation)}
    for name, part in (("parent", table[:, 3:7]), ("mate", table[:, 7:11])):
        absent = (part == -1).all(axis=1)
        older = (part >= 0).all(axis=1) & (part[:, 0] < own[:, 0]) & (part[:, 3] < cells)
        wrong[f"an older {name}, or none"] = ~(absent | older)
        if bred and name == "parent":
            wrong["a parent from generation 1 on, and none before"] = absent == bred_later
        elif bred and not absent[bred_later].all():
            wrong["a mate from generation 1 on, as others have one"] = absent & bred_later
    wrong["a parent beside a mate"] = (table[:, 3] < 0) & (table[:, 7] >= 0)
    order = np.lexsort((own[:, 2], own[:, 1], own[:, 0]))
    again = np.zeros(len(own), bool)
    again[order[1:]] = (own[order[1:]] == own[order[:-1]]).all(axis=1)
    wrong["each image once"] = again
    if bred:
        wrong["records in the order of generation, stream and child"] = order != np.arange(len(own))
    for expected, places in wrong.items():
        if places.any():
            place = int(places.argmax())
            raise InvalidError(
                f"{path}: record {place}: expected {expected}, found {table[place].tolist()}: it was cut, or altered"
            )


def digest(path: Path, length: int) -> str:
    """SHA-256, in hex, of the first `length` bytes: the records up to a checkpoint.

    Raises:
        InvalidError: there is no such file, or it is shorter.
    """
    sha = hashlib.sha256()
    with _opened(path, length) as file:
        while length and (block := file.read(min(length, 1 << 20))):
            sha.update(block)
            length -= len(block)
    return sha.hexdigest()


def _opened(path: Path, length: int) -> BinaryIO:
    """The file, which has at least so many bytes, of those that are read."""
    if length > LONGEST:
        raise InvalidError(f"{path}: expected at most {LONGEST:,} bytes, found {length:,}")
    try:
        file = open_plain(path)
    except OSError as error:
        raise InvalidError(f"{path}: expected the lineage of the run: {error.strerror or error}") from None
    if (size := os.fstat(file.fileno()).st_size) < length:
        file.close()
        raise InvalidError(
            f"{path}: expected {length} bytes, as the checkpoint says, found {size}: it was cut"
        )
    return file
