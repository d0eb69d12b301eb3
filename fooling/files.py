"""Writing files so that they appear whole or not at all, protecting the user's files, and reading text that
people hand in."""

from __future__ import annotations

import codecs
import json
import os
import shutil
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from fooling.errors import FoolingError, InvalidError, NotFoundError, naming_write_errors
from fooling.first_look import STAND_INS, look
from fooling.text import encoded

LONGEST_TEXT = 2**28  # bytes; labels of 21,843 classes take 1 MB, a CSV of a million images takes 50 MB
# The longer marks come first, because the mark of UTF-32 begins with that of UTF-16.
_OTHER_TEXT = {
    codecs.BOM_UTF32_LE: "UTF-32",
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}


def user_path(text: str) -> Path:
    """The path that a user wrote, with "~" replaced by the home directory if there is one."""
    return Path(os.path.expanduser(text))


@contextmanager
def replacing(path: Path, durable: bool = False) -> Iterator[BinaryIO]:
    """A temporary file to write to, which replaces `path` when the block ends without an error.

    Args:
        durable: wait until the file is on the disk. This is not needed for what can be made again from a
            checkpoint.

    Raises:
        OSError: the file can't be written; what was there before is unchanged.
    """
    temporary = path.with_name(f".{path.name}.{threading.get_native_id()}.tmp")
    try:
        temporary.unlink(
            missing_ok=True
        )  # left by a process that was killed; a link is removed, not followed
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


def write_files(folder: Path, contents: Mapping[str, bytes]) -> list[Path]:
    """Write files into a folder, which is made, each whole or not at all.

    Returns:
        Their paths.

    Raises:
        FoolingError: the folder can't be written.
    """
    with naming_write_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in contents.items():
            with replacing(folder / name) as file:
                file.write(content)
    return [folder / name for name in contents]


def link_or_copy(source: Path, path: Path) -> None:
    """Give a file a second name, `path`, replacing what is there, whole or not at all. The file is copied
    where the file system has no hard links or allows no more of them.

    Raises:
        OSError: `path` can't be written.
    """
    temporary = path.with_name(f".{path.name}.{threading.get_native_id()}.tmp")
    try:
        try:
            os.link(source, temporary)
        except OSError:
            shutil.copyfile(source, temporary)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)  # os.replace leaves it if `path` was another name of the same file


def sync_directory(folder: Path) -> None:
    """Wait until the names of the files in a folder are on the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def json_bytes(value: Any) -> bytes:
    """A value as JSON for a file: UTF-8, indented, with a newline at the end."""
    return encoded(json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def refuse_existing(path: Path, force: bool | None = None) -> None:
    """Protect a user's files: refuse a path where there is a file, or a folder that is not empty.

    Args:
        force: True to allow it all the same; None if the command has no --force to suggest.

    Raises:
        FoolingError: something is there, and `force` is not True.
    """
    taken = any(path.iterdir()) if path.is_dir() else path.exists()
    if taken and not force:
        way = ", or --force" if force is not None else ""
        raise FoolingError(f"{path} exists; remove it, or give another name{way}")


def refuse_foreign(folder: Path, data: str, kind: str, force: bool | None = None) -> None:
    """Protect a user's folders: refuse a folder to write in unless it is missing, empty, or was made by the
    same command before.

    Args:
        data: the name of a JSON file that such a folder has.
        kind: the value of "kind" in that file.
        force: True to allow any folder; None if the command has no --force to suggest.

    Raises:
        FoolingError: the folder is something else, and `force` is not True.
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
    """The text of a file that a person hands in: UTF-8, with or without the byte order mark that programs on
    Windows write. All line ends become newlines.

    Args:
        what: what the file is expected to be, for errors, such as "a TOML file".

    Raises:
        NotFoundError: the file does not exist or can't be opened.
        InvalidError: it is not UTF-8 text, is too long, or is a pipe or a device, which may have no end. The
        line says
            what it is instead, if that can be told.
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
