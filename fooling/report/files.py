"""Files that appear whole or not at all, without waiting for the disk: what lies here can be made again
from the checkpoints (which `fooling.runs.files` makes durable)."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from fooling.errors import FoolingError


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A file to write in; it takes the place of `path` when the block ends, unless the block failed.

    Raises:
        OSError: it can't be written; what was there before is untouched.
    """
    temporary = path.with_name(f".{path.name}.{threading.get_native_id()}.tmp")
    try:
        with open(temporary, "wb") as file:
            yield file
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def refuse_existing(path: Path, force: bool) -> None:
    """Guard a user's files: a file, or a folder that is not empty, is replaced only by `force`.

    Raises:
        FoolingError: it is there, and `force` is not given.
    """
    taken = any(path.iterdir()) if path.is_dir() else path.exists()
    if taken and not force:
        raise FoolingError(f"{path} exists; remove it, or give another name")
