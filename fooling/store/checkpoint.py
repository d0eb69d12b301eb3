"""Checkpoints: one file of arrays and counters on a generation boundary, in the safetensors layout.

Any safetensors reader opens them. They are streamed to disk array by array (a run of 1,000 ImageNet-size
direct images holds 1 GB; the library's own writer would hold it twice), and the last tensor, `sha256`, is
the digest of every byte before it, so that a torn or altered file is told from a good one.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, BinaryIO, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from fooling.errors import InvalidError
from fooling.files import replacing
from fooling.store.rows import Rows
from fooling.untrusted import open_plain, parse_json, parse_model
from fooling.validation import Stored

KEPT = 2
LONGEST_HEADER = 10**8  # bytes, as in the safetensors library
PER_IMAGE = ("pixels", "genotypes.genes")  # large arrays, of which a row is an image's
_DIGEST = "sha256"
_CODES = {"float32": "F32", "float64": "F64", "int32": "I32", "int64": "I64", "uint8": "U8", "uint32": "U32"}
_TYPES = {code: np.dtype(name).newbyteorder("<") for name, code in _CODES.items()}


_NAME = re.compile(r"[0-9]{8,10}\.safetensors")
_Count = Annotated[int, Field(ge=0, le=2**62)]


class DamagedError(Exception):
    """A checkpoint that is torn or was altered; the text says how it shows."""


class Counters(Stored):
    """The counters of a run. The defaults are those of one that has not begun.

    Attributes:
        batch: the physical batch, where memory ran out; None: the manifest's.
    """

    generation: Annotated[int, Field(ge=-1, lt=2**31)] = -1
    evaluations: _Count = 0
    seconds: Annotated[float, Field(ge=0, le=1e12)] = 0.0
    replacements: _Count = 0
    goal_switches: _Count = 0
    nan_images: _Count = 0
    events_bytes: _Count = 0
    lineage_bytes: _Count = 0
    batch: Annotated[int, Field(ge=1, le=2**16)] | None = None


class _Metadata(Stored):
    format: Literal["1"]
    state: str


class _Array(Stored):
    """An array in the header."""

    dtype: Literal["F32", "F64", "I32", "I64", "U8", "U32"]
    shape: Annotated[tuple[_Count, ...], Field(max_length=8)]
    data_offsets: tuple[_Count, _Count]

    @property
    def bytes(self) -> int:
        """What its dtype and shape take."""
        return math.prod(self.shape) * _TYPES[self.dtype].itemsize


class _Header(Stored):
    metadata: Annotated[_Metadata, Field(alias="__metadata__")]
    arrays: dict[str, _Array]

    @classmethod
    def read(cls, data: bytes, content: int, where: str) -> _Header:
        """The header of a file that has so many bytes after it.

        Raises:
            InvalidError: it is none, or its arrays are not what follows it, one after the other.
        """
        found = parse_json(data, f"{where}: header")
        if not isinstance(found, dict):
            raise InvalidError(f"{where}: header: expected names and arrays, found {type(found).__name__}")
        arrays = {name: entry for name, entry in found.items() if name != "__metadata__"}
        whole = {"__metadata__": found.get("__metadata__"), "arrays": arrays}
        header = parse_model(cls, json.dumps(whole), f"{where}: header")
        end = 0
        for name, array in header.arrays.items():
            if array.data_offsets != (end, end + array.bytes):
                raise InvalidError(
                    f"{where}: header: {name!r}: expected data_offsets {[end, end + array.bytes]} for {array.dtype} "
                    f"of shape {list(array.shape)}, found {list(array.data_offsets)}"
                )
            end += array.bytes
        last = next(reversed(header.arrays), None)
        if end != content or last != _DIGEST or header.arrays[_DIGEST].bytes != 32:
            raise InvalidError(
                f"{where}: header: expected {content} bytes of arrays, {_DIGEST!r} the last of them, found {end}"
            )
        return header


@dataclass(frozen=True)
class Checkpoint:
    """Counters and arrays of a run after some generation.

    Attributes:
        counters: how far the run is.
        arrays: by name.
    """

    counters: Counters
    arrays: dict[str, NDArray]

    @property
    def in_file(self) -> bool:
        """Whether some arrays were left in the file: they are `Rows`."""
        return any(isinstance(array, Rows) for array in self.arrays.values())

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
    """The checkpoints in a folder, newest first; files of other names are none."""
    named = (path for path in folder.glob("[0-9]*.safetensors") if _NAME.fullmatch(path.name))
    return sorted(named, key=generation_of, reverse=True)


def save(folder: Path, checkpoint: Checkpoint) -> Path:
    """Write a checkpoint, then delete all but the newest two.

    Raises:
        OSError: it could not be written; the older ones are as they were.
    """
    path = path_of(folder, checkpoint.counters.generation)
    with replacing(path, durable=True) as file:
        for part in _stream(checkpoint):
            file.write(part)
    for old in saved(folder)[KEPT:]:
        old.unlink()
    return path


def load(path: Path, in_memory: int | None = None) -> Checkpoint:
    """Read a checkpoint and verify it. Nothing is allocated that the file is not long enough for.

    Args:
        in_memory: an array in `PER_IMAGE` of more bytes stays in the file, as `Rows`; None: none does.

    Raises:
        DamagedError: it is not what was written.
        InvalidError: its digest is right, but it is no checkpoint.
        OSError: it can't be read.
    """
    with ExitStack() as opened:
        file = opened.enter_context(open_plain(path))
        size = os.fstat(file.fileno()).st_size
        length = int.from_bytes(file.read(8), "little")
        if size < 8 + 32 or length > size - 8 - 32:
            raise DamagedError(f"{path.name} is cut short ({size} bytes)")
        file.seek(0)
        if _digest_of(file, size - 32) != file.read(32):
            raise DamagedError(f"{path.name} was altered or is torn (its SHA-256 does not match)")
        if length > LONGEST_HEADER:
            raise InvalidError(
                f"{path}: expected a header of at most {LONGEST_HEADER:,} bytes, found {length:,}"
            )
        file.seek(8)
        header = _Header.read(file.read(length), size - 8 - length, str(path))
        counters = parse_model(Counters, header.metadata.state, f"{path}: state")
        if counters.generation != generation_of(path):
            raise InvalidError(
                f"{path}: state: expected generation {generation_of(path)}, as its name says, found "
                f"{counters.generation}"
            )
        arrays: dict[str, Any] = {}
        for name, array in header.arrays.items():
            begin = 8 + length + array.data_offsets[0]
            if name in PER_IMAGE and in_memory is not None and array.bytes > in_memory:
                arrays[name] = Rows(file, begin, array.shape, _TYPES[array.dtype])
            elif name != _DIGEST:
                file.seek(begin)
                values = np.fromfile(file, _TYPES[array.dtype], math.prod(array.shape))
                arrays[name] = values.reshape(array.shape)
        loaded = Checkpoint(counters, arrays)
        if loaded.in_file:
            opened.pop_all()  # the file is closed with the last of them
    return loaded


def _stream(checkpoint: Checkpoint) -> Iterator[bytes | memoryview]:
    arrays = {name: np.ascontiguousarray(array) for name, array in checkpoint.arrays.items()}
    sha = hashlib.sha256()
    parts: list[bytes | memoryview] = [_header(checkpoint.counters, arrays)]
    parts += [array.data.cast("B") for array in arrays.values() if array.size]
    for part in parts:
        sha.update(part)
        yield part
    yield sha.digest()


def _header(counters: Counters, arrays: Mapping[str, NDArray]) -> bytes:
    header: dict[str, Any] = {
        "__metadata__": {"format": "1", "state": counters.model_dump_json(exclude_none=True)}
    }
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


def _digest_of(file: BinaryIO, length: int) -> bytes:
    """Of the next `length` bytes."""
    sha, left = hashlib.sha256(), length
    while left and (block := file.read(min(left, 1 << 20))):
        sha.update(block)
        left -= len(block)
    return sha.digest()
