"""Reading files that may come from a stranger: only plain files of a bounded size, never links, and JSON of a
bounded depth."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import from_json

from fooling.errors import InvalidError
from fooling.validation import explain

M = TypeVar("M", bound=BaseModel)


def open_plain(path: Path) -> BinaryIO:
    """Open a plain file to read. A link is not followed, and a pipe or a device is not waited for.

    Raises:
        InvalidError: the path is not a plain file.
        OSError: it can't be read.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise InvalidError(f"{path}: expected a file, found a link") from None
        raise
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise InvalidError(f"{path}: expected a file, found something else")
    return open(descriptor, "rb")


def read_plain(path: Path, most: int) -> bytes:
    """The content of a plain file of at most `most` bytes.

    Raises:
        InvalidError: the file is longer, or the path is not a plain file.
        OSError: it can't be read.
    """
    with open_plain(path) as file:
        size = os.fstat(file.fileno()).st_size
        if size > most:
            raise InvalidError(f"{path}: expected at most {most:,} bytes, found {size:,}")
        return file.read(most)


def parse_json(data: bytes | str, where: str) -> Any:
    """The value of JSON from a stranger. The parser limits nesting and the digits of a number, and refuses
    lone surrogates.

    Args:
        where: the name of the data, for the error.

    Raises:
        InvalidError: the data is not JSON.
    """
    try:
        return from_json(data, allow_inf_nan=False)
    except ValueError as error:
        raise InvalidError(f"{where}: expected JSON: {error}") from None


def parse_model(model: type[M], data: bytes | str, where: str) -> M:
    """JSON from a stranger as a pydantic model.

    Raises:
        InvalidError: the line names `where`, the first wrong field, what was expected and what was found.
    """
    try:
        return model.model_validate_json(data)
    except ValidationError as error:
        raise InvalidError(f"{where}: {explain(error, model)}") from None


def checked(model: type[M], found: Any, where: str) -> M:
    """A value that `parse_json` returned as a pydantic model; errors as for `parse_model`."""
    try:
        return model.model_validate(found)
    except ValidationError as error:
        raise InvalidError(f"{where}: {explain(error, model)}") from None
