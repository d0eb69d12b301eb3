"""A folder of steps: long work in which each step is done once, kept as a file, and read back ever after.

A process that is killed loses the step that it was in, and no other. The folder's record says what all results follow
from: work with other inputs is refused, and so is a second process that writes.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, BinaryIO, Generic, TypeVar

import numpy as np

from fooling.errors import FoolingError, InvalidError, naming_write_errors
from fooling.files import json_bytes, refuse_foreign, replacing
from fooling.store.directory import only_writer

T = TypeVar("T")
LOCK = "lock"
_ABSENT = "nothing"


@dataclass(frozen=True)
class Form(Generic[T]):
    """How the result of a step lies in a file.

    Attributes:
        suffix: the end of the file's name.
        write: writes a result into a file.
        read: the inverse.
    """

    suffix: str
    write: Callable[[BinaryIO, T], object]
    read: Callable[[BinaryIO], T]


JSON: Form[Any] = Form(".json", lambda file, value: file.write(json_bytes(value)), json.load)


def arrays_of(kind: Callable[..., T]) -> Form[T]:
    """An .npz with the fields of a dataclass of arrays. The same arrays give the same bytes."""

    def read(file: BinaryIO) -> T:
        with np.load(file, allow_pickle=False) as found:
            return kind(**{field.name: found[field.name] for field in fields(kind)})  # type: ignore[arg-type]

    return Form(".npz", lambda file, value: np.savez_compressed(file, **vars(value)), read)


@dataclass(frozen=True)
class StepStore:
    """The steps that are done, in a folder that this process alone writes (`opened`)."""

    path: Path

    def once(self, name: str, make: Callable[[], T], form: Form[T] = JSON) -> T:
        """The result of a step: read where it is kept, else made now, kept, and read back.

        Args:
            name: of the step's file, without the suffix; it may name folders.

        Raises:
            InvalidError: the file is damaged.
            FoolingError: it can't be written, or the step failed.
        """
        path = self.file(name, form)
        if not path.exists():
            made = make()
            self.write(name + form.suffix, lambda file: form.write(file, made))
        return read(path, form)

    def file(self, name: str, form: Form[Any] = JSON) -> Path:
        """The file of a step, whether or not the step is done."""
        return self.path / (name + form.suffix)

    def write(self, name: str, content: bytes | Callable[[BinaryIO], object]) -> None:
        """Write a file of the folder, whole or not at all.

        Raises:
            FoolingError: it can't be written.
        """
        path = self.path / name
        with naming_write_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            with replacing(path, durable=True) as file:
                file.write(content) if isinstance(content, bytes) else content(file)


def read(path: Path, form: Form[T] = JSON) -> T:
    """The result of a step that is done.

    Raises:
        InvalidError: the file is damaged.
    """
    try:
        with open(path, "rb") as file:
            return form.read(file)
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise InvalidError(
            f"{path}: expected the result of a step, found a damaged file ({str(error)[:80]}); remove it, and the step "
            "is done again"
        ) from None


@contextmanager
def opened(
    path: Path, record: str, kind: str, inputs: Mapping[str, Any], growing: Sequence[str] = ()
) -> Iterator[StepStore]:
    """The steps in a folder, new or begun with the same inputs, for one process at a time.

    Args:
        record: the name of the file that keeps the inputs.
        kind: what the record is called, which tells a folder of ours from others.
        inputs: JSON-like; everything that the results follow from.
        growing: dotted names of numbers that may be larger than when the folder was begun.

    Raises:
        InvalidError: it was begun with other inputs.
        FoolingError: it is something else, can't be written, or is being written.
    """
    refuse_foreign(path, record, kind)
    store, now = StepStore(path), json_bytes({"kind": kind, "format": 1, **inputs})
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FoolingError(f"can't make {path}: {error.strerror or error}") from None
    known = inputs_of(path / record) if _is_begun(path, record) else {}
    if known and (found := difference(known, json.loads(now), growing)):
        key, was, new = found
        raise InvalidError(
            f"{path} was begun with other inputs: {key} was {was}, found {new}; give the same again, or another --out"
        )
    with only_writer(path):
        store.write(record, now)
        yield store


def inputs_of(record: Path) -> dict[str, Any]:
    """What the record of a folder holds.

    Raises:
        InvalidError: there is no such record.
    """
    try:
        return dict(json.loads(record.read_bytes()))
    except (OSError, ValueError, TypeError):
        raise InvalidError(f"{record}: expected a record of what was begun, found none") from None


def difference(
    old: Mapping[str, Any], new: Mapping[str, Any], growing: Sequence[str] = (), besides: Sequence[str] = ()
) -> tuple[str, str, str] | None:
    """The first input, by its dotted name, that differs, and its two values, cut short; None where none does.

    Args:
        growing: names whose value may be larger in `new`.
        besides: names whose value may be any.
    """
    before, now = _flat(old), _flat(new)
    for key in sorted((before.keys() | now.keys()) - set(besides)):
        was, found = before.get(key, _ABSENT), now.get(key, _ABSENT)
        if was != found and not (key in growing and key in before and found > was):
            return key, str(was)[:60], str(found)[:60]
    return None


def _is_begun(path: Path, record: str) -> bool:
    """Whether anything was kept: before that, the inputs may still be put right."""
    return any(entry.name not in (record, LOCK) and entry.name[0] != "." for entry in path.iterdir())


def _flat(value: Any, name: str = "") -> dict[str, Any]:
    """The leaves of a JSON-like value by dotted name."""
    if not isinstance(value, dict):
        return {name: value}
    return {
        key: leaf
        for part, inner in value.items()
        for key, leaf in _flat(inner, f"{name}.{part}" if name else part).items()
    }
