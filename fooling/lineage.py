"""The lineage file: where every image that ever became an elite came from.

Records of 11 little-endian int32, appended in the order (generation, stream, child):

    generation, stream, child,
    generation, stream, child of the parent, and the class it held when it was chosen,
    the same four of the mate

-1 stands where there is no parent (the first generation) or no mate (encodings without crossover). Where parents
need not have been elites (the search `single-class`), an elite's ancestors are appended with it.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

WIDTH = 11
RECORD = WIDTH * 4  # bytes
NONE = np.zeros((0, WIDTH), np.int32)  # no records
NONE.flags.writeable = False


def records(
    ids: NDArray[np.int32],
    parents: NDArray[np.int32] | None = None,
    mates: NDArray[np.int32] | None = None,
) -> NDArray[np.int32]:
    """Records (N, 11) of images `ids` (N, 3); parents and mates are (N, 4): id and class held."""
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
    """
    count = (path.stat().st_size if length is None else length) // RECORD
    return np.fromfile(path, "<i4", count * WIDTH).reshape(-1, WIDTH)


def digest(path: Path, length: int) -> str:
    """SHA-256, in hex, of the first `length` bytes: the records up to a checkpoint."""
    with open(path, "rb") as file:
        return hashlib.sha256(file.read(length)).hexdigest()
