"""Files that appear whole or not at all, and the guard of those that are a user's."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from fooling.errors import FoolingError


@contextmanager
def replacing(path: Path, durable: bool = False) -> Iterator[BinaryIO]:
    """A file to write in; it takes the place of `path` when the block ends, unless the block failed.

    Args:
        durable: wait until it is on the disk. What can be made again from a checkpoint need not.

    Raises:
        OSError: it can't be written; what was there before is untouched.
    """
    temporary = path.with_name(f".{path.name}.{threading.get_native_id()}.tmp")
    try:
        with open(temporary, "wb") as file:
            yield file
            if durable:
                file.flush()
                os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    if durable:
        sync_directory(path.parent)


def sync_directory(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def json_bytes(value: Any) -> bytes:
    """JSON as files hold it: UTF-8, indented, ends with a newline."""
    return (json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()


def refuse_existing(path: Path, force: bool = False) -> None:
    """Guard a user's files: a file, or a folder that is not empty, is replaced only by `force`.

    Raises:
        FoolingError: it is there, and `force` is not given.
    """
    taken = any(path.iterdir()) if path.is_dir() else path.exists()
    if taken and not force:
        raise FoolingError(f"{path} exists; remove it, or give another name")


def refuse_foreign(folder: Path, data: str, kind: str) -> None:
    """Guard what is not ours: only an empty folder, or one that this program made before, is written over.

    Args:
        data: the name of the JSON file in a folder of ours; its `kind` says that it is.
        kind: the one that is expected.

    Raises:
        FoolingError: it is something else.
    """
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return
    try:
        found = json.loads((folder / data).read_bytes()).get("kind")
    except (OSError, ValueError, AttributeError):
        found = None
    if found != kind:
        raise FoolingError(f"{folder} exists and is no {kind}; remove it, or give another --out")
