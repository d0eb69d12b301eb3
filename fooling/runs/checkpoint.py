"""Checkpoints: one file of arrays and counters on a generation boundary, in the safetensors layout.

Any safetensors reader opens them. They are streamed to disk array by array (a run of 1,000 ImageNet-size
direct images holds 1 GB; the library's own writer would hold it twice), and the last tensor, `sha256`, is
the digest of every byte before it, so that a torn or altered file is told from a good one.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fooling.files import replacing

KEPT = 2
_DIGEST = "sha256"
_CODES = {"float32": "F32", "float64": "F64", "int32": "I32", "int64": "I64", "uint8": "U8", "uint32": "U32"}
_TYPES = {code: np.dtype(name).newbyteorder("<") for name, code in _CODES.items()}


class DamagedError(Exception):
    """A checkpoint that is torn or was altered; the text says how it shows."""


@dataclass(frozen=True)
class Checkpoint:
    """Counters and arrays of a run after some generation.

    Attributes:
        state: JSON-like counters, among them "generation".
        arrays: by name.
    """

    state: dict[str, Any]
    arrays: dict[str, NDArray]

    def part(self, name: str) -> dict[str, NDArray]:
        """The arrays whose names begin with "name.", by the rest of their names."""
        start = f"{name}."
        return {key.removeprefix(start): value for key, value in self.arrays.items() if key.startswith(start)}


def path_of(folder: Path, generation: int) -> Path:
    """Where the checkpoint of a generation lies."""
    return folder / f"{generation:08d}.safetensors"


def generation_of(path: Path) -> int:
    """The inverse of `path_of`."""
    return int(path.name.partition(".")[0])


def saved(folder: Path) -> list[Path]:
    """The checkpoints in a folder, newest first."""
    return sorted(folder.glob("[0-9]*.safetensors"), key=generation_of, reverse=True)


def save(folder: Path, checkpoint: Checkpoint) -> Path:
    """Write a checkpoint, then delete all but the newest two.

    Raises:
        OSError: it could not be written; the older ones are as they were.
    """
    path = path_of(folder, checkpoint.state["generation"])
    with replacing(path, durable=True) as file:
        for part in _stream(checkpoint):
            file.write(part)
    for old in saved(folder)[KEPT:]:
        old.unlink()
    return path


def load(path: Path) -> Checkpoint:
    """Read a checkpoint and verify it.

    Raises:
        DamagedError: it is not what was written.
        OSError: it can't be read.
    """
    size = path.stat().st_size
    with open(path, "rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if size < 8 + 32 or length > size - 8 - 32:
            raise DamagedError(f"{path.name} is cut short ({size} bytes)")
        if _digest_of(path, size - 32) != _tail(path):
            raise DamagedError(f"{path.name} was altered or is torn (its SHA-256 does not match)")
        header = json.loads(file.read(length))
        metadata = header.pop("__metadata__")
        arrays = {}
        for name, entry in header.items():
            if name != _DIGEST:
                file.seek(8 + length + entry["data_offsets"][0])
                count = int(np.prod(entry["shape"], dtype=np.int64))
                array = np.fromfile(file, _TYPES[entry["dtype"]], count)
                arrays[name] = array.reshape(entry["shape"])
    return Checkpoint(json.loads(metadata["state"]), arrays)


def _stream(checkpoint: Checkpoint) -> Iterator[bytes | memoryview]:
    arrays = {name: np.ascontiguousarray(array) for name, array in checkpoint.arrays.items()}
    sha = hashlib.sha256()
    parts: list[bytes | memoryview] = [_header(checkpoint.state, arrays)]
    parts += [array.data.cast("B") for array in arrays.values() if array.size]
    for part in parts:
        sha.update(part)
        yield part
    yield sha.digest()


def _header(state: Mapping[str, Any], arrays: Mapping[str, NDArray]) -> bytes:
    header: dict[str, Any] = {"__metadata__": {"format": "1", "state": json.dumps(state)}}
    offset = 0
    for name, array in arrays.items():
        end = offset + array.nbytes
        header[name] = {
            "dtype": _CODES[array.dtype.name],
            "shape": list(array.shape),
            "data_offsets": [offset, end],
        }
        offset = end
    header[_DIGEST] = {"dtype": "U8", "shape": [32], "data_offsets": [offset, offset + 32]}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text


def _digest_of(path: Path, length: int) -> bytes:
    sha, left = hashlib.sha256(), length
    with open(path, "rb", buffering=0) as file:
        while left and (block := file.read(min(left, 1 << 20))):
            sha.update(block)
            left -= len(block)
    return sha.digest()


def _tail(path: Path) -> bytes:
    with open(path, "rb") as file:
        file.seek(-32, 2)
        return file.read()
