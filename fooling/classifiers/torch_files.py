"""Files of torch.save, in the form of today (a zip) and in that of before torch 1.6: their tensors and nothing else.

They are read by torch's restricted unpickler (`weights_only=True`), always. What trainings leave beside the
weights, like their arguments, are objects of classes which that unpickler does not know. In their place stand
empty objects of a class of ours: theirs is neither imported nor run. Whatever would have to be *called* is refused,
but for a few makers of plain values.

Sizes: torch writes its zips uncompressed, so one that unfolds into more than it holds is refused. In the older form
a tensor's memory is touched only as its bytes are read from the file.
"""

from __future__ import annotations

import pickle
import pickletools
import zipfile
from pathlib import Path
from typing import IO, Any

import torch
from torch import Tensor

from fooling.errors import InvalidError, first_line
from fooling.first_look import Kind

_ADVICE = (
    "save its weights alone, torch.save(network.state_dict(), FILE), or build it in a function of your own and "
    "say python:MODULE:FUNCTION with --trust"
)
_NUMPY = ("core.multiarray", "_core.multiarray")
_VALUES = frozenset(
    {
        "numpy.dtype",
        *(f"numpy.{module}.{maker}" for module in _NUMPY for maker in ("scalar", "_reconstruct")),
        *(f"pathlib.{kind}Path" for kind in ("Posix", "Windows", "PurePosix", "PureWindows")),
        *(f"datetime.{kind}" for kind in ("datetime", "date", "time", "timedelta")),
    }
)


class _LeftOut:
    """Stands for an object of a class that is not opened. Made without a call, as plain objects are."""

    def __new__(cls, *values: Any) -> _LeftOut:
        return super().__new__(cls)

    def __init__(self, *values: Any) -> None:
        raise pickle.UnpicklingError("a function would have to be called")

    def __setstate__(self, state: Any) -> None:
        """Forget it."""


class _Value(_LeftOut):
    """Stands for a number, path or time that is made by a call of a known maker."""

    def __init__(self, *values: Any) -> None:
        """Forget them."""


def _dictionary(*values: Any) -> dict[Any, Any]:
    """Stands for the maker of a dictionary with defaults."""
    return {}


def read(path: Path, kind: Kind) -> dict[str, Tensor]:
    """The tensors that lie in the file's dictionaries, by name.

    Args:
        kind: which of the two forms it has.

    Raises:
        InvalidError: damaged, too large when unfolded, a whole network, or one that could run code.
    """
    if kind is Kind.TORCH:
        _refuse_bomb(path)
    classes: list[str] = []
    try:
        classes = _classes(path, kind)
        with torch.serialization.safe_globals([(_stand_in(name), name) for name in classes]):
            found = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        _refuse_network(path, classes)
        raise InvalidError(
            f"{path}: expected a state dict and nothing else (torch.save(network.state_dict(), FILE)); refused, "
            f"since reading it could run code: {_reason(error, classes)}"
        ) from None
    except Exception as error:
        raise InvalidError(f"{path}: expected {kind.value}, complete: {first_line(error, 160)}") from None
    state = _flat(found)
    if not state:
        _refuse_network(path, classes)
    return state


def _reason(error: Exception, classes: list[str]) -> str:
    """What the file names that is not known here, without torch's advice to trust it."""
    named = [name for name in classes if name not in _VALUES and not name.startswith("torch.")]
    return (
        f"it names {', '.join(named[:4])}{', ...' if named[4:] else ''}" if named else first_line(error, 160)
    )


def _stand_in(name: str) -> Any:
    if name == "collections.defaultdict":
        return _dictionary
    return _Value if name in _VALUES else _LeftOut


def _refuse_bomb(path: Path) -> None:
    """torch writes its zips uncompressed, so their parts together are never larger than the file."""
    with zipfile.ZipFile(path) as archive:
        unfolded = sum(part.file_size for part in archive.infolist())
    if unfolded > path.stat().st_size:
        raise InvalidError(
            f"{path}: expected a state dict, uncompressed as torch.save writes it, "
            f"found {path.stat().st_size} bytes that unfold into {unfolded}"
        )


def _refuse_network(path: Path, classes: list[str]) -> None:
    """
    Raises:
        InvalidError: modules of torch are among the classes that the file names.
    """
    if any(name.startswith("torch.nn.modules.") for name in classes):
        raise InvalidError(
            f"{path}: expected a state dict, found a whole pickled network (of class {classes[0]}), which only "
            f"its author's code can open: {_ADVICE}"
        )


def _classes(path: Path, kind: Kind) -> list[str]:
    """The classes and functions that the file's pickle names, in their order; nothing is imported."""
    if kind is Kind.OLD_TORCH:
        with path.open("rb") as file:
            for _ in range(3):  # a number, a version, and the machine's byte order
                _named(file)
            return _named(file)
    with zipfile.ZipFile(path) as archive:
        name = next(name for name in archive.namelist() if name.split("/")[1:] in ([], ["data.pkl"]))
        with archive.open(name) as part:
            return _named(part)


def _named(file: IO[bytes]) -> list[str]:
    found = {
        str(argument).replace(" ", ".").replace("__builtin__.", "builtins."): None
        for operation, argument, _ in pickletools.genops(file)
        if operation.name == "GLOBAL"
    }
    known = ("collections.OrderedDict", "torch._utils.", "torch.storage.", "_codecs.encode")
    return [name for name in found if not name.startswith(known)]


def _flat(found: object) -> dict[str, Tensor]:
    """The named tensors in dictionaries within each other. A dictionary that is there twice counts once."""
    state: dict[str, Tensor] = {}
    seen: set[int] = set()
    waiting: list[tuple[str, object]] = [("", found)]
    while waiting:
        prefix, value = waiting.pop()
        if isinstance(value, Tensor) and prefix:
            state[prefix[:-1]] = value.detach()
        elif isinstance(value, dict) and id(value) not in seen:
            seen.add(id(value))
            parts = [(f"{prefix}{name}.", part) for name, part in value.items() if isinstance(name, str)]
            waiting.extend(reversed(parts))
    return state
