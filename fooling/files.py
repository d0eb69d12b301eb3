"""Files that appear whole or not at all, the guard of those that are a user's, and the reader of text that people
hand in."""

from __future__ import annotations

import codecs
import json
import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from fooling.errors import FoolingError, InvalidError, NotFoundError
from fooling.first_look import STAND_INS, look
from fooling.text import encoded

LONGEST_TEXT = 2**28  # bytes; labels of 21,843 classes take 1 MB, a CSV of a million images 50 MB
# Longer marks first: UTF-32's begins with UTF-16's.
_OTHER_TEXT = {
    codecs.BOM_UTF32_LE: "UTF-32",
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}


def user_path(text: str) -> Path:
    """A path as a user writes it, "~" for the home. Where there is no such home, "~" is a name like others."""
    return Path(os.path.expanduser(text))


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
        temporary.unlink(missing_ok=True)  # of a process that was killed; never a link to follow
        with open(temporary, "xb") as file:
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


def link_or_copy(source: Path, path: Path) -> None:
    """Give a file another name, whole or not at all, in place of what is there; where the file system has no hard
    links, or allows no more of them, it is copied.

    Raises:
        OSError: it can't be written.
    """
    temporary = path.with_name(f".{path.name}.{threading.get_native_id()}.tmp")
    try:
        try:
            os.link(source, temporary)
        except OSError:
            shutil.copyfile(source, temporary)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)  # a rename between two names of one file leaves both


def sync_directory(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def json_bytes(value: Any) -> bytes:
    """JSON as files hold it: UTF-8, indented, ends with a newline."""
    return encoded(json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def refuse_existing(path: Path, force: bool | None = None) -> None:
    """Guard a user's files: a file, or a folder that is not empty, is replaced only by `force`.

    Raises:
        FoolingError: it is there, and `force` is not given.
    """
    taken = any(path.iterdir()) if path.is_dir() else path.exists()
    if taken and not force:
        way = ", or --force" if force is not None else ""
        raise FoolingError(f"{path} exists; remove it, or give another name{way}")


def refuse_foreign(folder: Path, data: str, kind: str, force: bool | None = None) -> None:
    """Guard what is not ours: only an empty folder, or one that this program made before, is written over;
    by `force` any other.

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
    if found != kind and not force:
        way = ", or --force" if force is not None else ""
        raise FoolingError(f"{folder} exists and is no {kind}; remove it, or give another --out{way}")


def read_text(path: Path, what: str) -> str:
    """Text that a person hands in: UTF-8, with or without the byte order mark that editors and spreadsheets on
    Windows write. Lines end in a newline, however they ended in the file.

    Args:
        what: the file is expected to be, for errors: "a TOML file".

    Raises:
        NotFoundError: no such file, or one that can't be opened.
        InvalidError: it is not UTF-8 text, too long, or a pipe or a device, which may have no end; the line says what
            it is, where that can be told.
    """
    try:
        if path.exists() and not path.is_file() and not path.is_dir():
            raise InvalidError(f"{path}: expected {what}, found a pipe or a device: save it as a file")
        if path.is_file() and (size := path.stat().st_size) > LONGEST_TEXT:
            raise InvalidError(f"{path}: expected {what} of at most {LONGEST_TEXT:,} bytes, found {size:,}")
        data = path.read_bytes()
    except (OSError, ValueError) as error:  # ValueError: a zero character in the path
        raise NotFoundError(f"{path}: expected {what}: {getattr(error, 'strerror', error)}") from None
    if data and (kind := look(path)) in STAND_INS:
        raise InvalidError(f"{path}: expected {what}, found {kind.value}")
    for mark, name in _OTHER_TEXT.items():
        if data.startswith(mark):
            raise InvalidError(f"{path}: expected {what} as UTF-8 text, found {name}: save it as UTF-8")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = 1 + data.count(b"\n", 0, error.start)
        raise InvalidError(
            f"{path}: expected {what} as UTF-8 text, found the byte {data[error.start]:#04x} in line {line}: "
            "save it as UTF-8"
        ) from None
    if "\0" in text:
        raise InvalidError(
            f"{path}: expected {what} as UTF-8 text, found zero bytes: it is UTF-16, or no text"
        )
    return text.replace("\r\n", "\n").replace("\r", "\n")
