"""State that a network holds elsewhere than in parameters and buffers, as a digest for its fingerprint.

Quantised modules keep packed weights, which only their state dict tells; functions have closures, defaults and
module-level values; people write `self.k = 1 / 30`. Tensors, arrays and numbers are found there, in lists, tuples and
dictionaries too; but no whole numbers, which count, limit and choose, and may do so otherwise each time. Settings of the libraries' own modules (a stride, a rate of dropout) say nothing that the class and
the shapes of its weights don't: they are left out, so an ordinary network has no hidden state. Code is none either,
nor is text: what is missed here is told by what the classifier answers (`fooling.classifiers.answers`).
"""

from __future__ import annotations

import functools
import hashlib
import sys
import types
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

_LIBRARIES = {"fooling", "open_clip", "timm", "torch", "torchaudio", "torchvision", "transformers"}
_OF_EVERY_MODULE = frozenset(vars(nn.Module()))
_DEEPEST = 20  # containers and objects within one another


def hidden_state(network: object) -> str:
    """64 hex digits; "" where there is none."""
    walk = _Walk()
    found = list(walk.visible(network)) if isinstance(network, nn.Module) else list(walk.value("", network))
    if not found:
        return ""
    digest = hashlib.sha256()
    for path, data in found:
        for part in (path.encode("utf-8", "backslashreplace"), data):
            digest.update(len(part).to_bytes(8, "little"))
            digest.update(part)
    return digest.hexdigest()


def tensor_bytes(tensor: Tensor) -> bytes:
    """A tensor's values; of a quantised one, the integers and what they stand for."""
    tensor = tensor.detach().cpu()
    if not tensor.is_quantized:
        return tensor.contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()
    if tensor.qscheme() in (torch.per_tensor_affine, torch.per_tensor_symmetric):
        meaning = [torch.tensor([tensor.q_scale(), tensor.q_zero_point()], dtype=torch.float64)]
    else:
        meaning = [tensor.q_per_channel_scales(), tensor.q_per_channel_zero_points()]
    return b"".join(tensor_bytes(part) for part in (tensor.int_repr(), *meaning))


Found = Iterator[tuple[str, bytes]]


class _Walk:
    """Goes through what hangs on a network, each object once."""

    def __init__(self) -> None:
        self._seen: dict[int, Any] = {}  # with the objects themselves, so that no id is given to another

    def visible(self, root: nn.Module) -> Found:
        """What is hidden in a module whose parameters and buffers are known."""
        tensors = [
            *root.named_parameters(remove_duplicate=False),
            *root.named_buffers(remove_duplicate=False),
        ]
        for thing in (*root.modules(), *(tensor for _, tensor in tensors)):
            self._seen[id(thing)] = thing
        known = {name for name, _ in tensors}
        places = {_place(tensor) for _, tensor in tensors} - {0}
        for name, value in sorted(_state(root).items()):
            if name not in known and not (isinstance(value, Tensor) and _place(value) in places):
                yield from self.value(f"state {name}", value)
        for name, module in root.named_modules():
            if not _is_of_a_library(type(module)):
                own = {key: value for key, value in vars(module).items() if key not in _OF_EVERY_MODULE}
                yield from self.value(f"attribute {name}", own)

    def value(self, path: str, value: Any, depth: int = 0) -> Found:
        """What is hidden in something that was found at a path."""
        if isinstance(value, float | complex | np.inexact):
            yield path, repr(value.item() if isinstance(value, np.generic) else value).encode()
            return
        if id(value) in self._seen or depth > _DEEPEST:
            return
        self._seen[id(value)] = value
        if isinstance(value, bytes):
            yield path, value
        elif isinstance(value, Tensor | np.ndarray):
            yield path, _array_bytes(value)
        elif isinstance(value, nn.Module):
            tensors = [*value.named_parameters(), *value.named_buffers()]
            for name, tensor in sorted(tensors, key=lambda item: item[0]):
                yield f"{path} {name}", _array_bytes(tensor)
            for name, data in self.visible(value):
                yield f"{path} {name}", data
        else:
            for name, part in _parts(value):
                yield from self.value(f"{path} {name}", part, depth + 1)


def _parts(value: Any) -> list[tuple[str, Any]]:
    """What an object that is no value itself consists of, by names; in an order that is the same everywhere."""
    if isinstance(value, Mapping):
        return sorted((f"{key!r}", part) for key, part in value.items() if isinstance(key, str | int))
    if isinstance(value, list | tuple):
        return [(str(number), part) for number, part in enumerate(value)]
    if isinstance(value, functools.partial):
        return [("function", value.func), ("arguments", value.args), ("keywords", value.keywords)]
    if isinstance(value, types.MethodType):
        return [("of", value.__self__), ("function", value.__func__)]
    if isinstance(value, torch.ScriptObject):
        return [("packed", value.__getstate__())]
    if isinstance(value, types.FunctionType):
        return [] if _is_of_a_library(value) else _of_function(value)
    if isinstance(value, type | types.ModuleType):
        return []
    own: dict[str, Any] = getattr(value, "__dict__", {})
    if isinstance(known := own.get("fingerprint"), str):  # a classifier, which has been looked through
        return [("fingerprint", known.encode())]
    return [] if _is_of_a_library(type(value)) else sorted(own.items())


def _of_function(function: types.FunctionType) -> list[tuple[str, Any]]:
    """What a function reads besides its arguments: its closure, its defaults, and the globals that it names."""
    found: list[tuple[str, Any]] = []
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            found.append((name, cell.cell_contents))
        except ValueError:  # a name that has no value yet
            continue
    found += [("defaults", function.__defaults__), ("keywords", function.__kwdefaults__)]
    named = sorted(set(_names(function.__code__)) & function.__globals__.keys())
    return found + [(name, function.__globals__[name]) for name in named]


def _names(code: types.CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _names(constant)


def _is_of_a_library(thing: Any) -> bool:
    """Whether a class or function is of a library, or of Python itself: what its settings are is not looked at."""
    top = str(getattr(thing, "__module__", "")).partition(".")[0]
    return top in _LIBRARIES or top in sys.stdlib_module_names


def _state(module: nn.Module) -> dict[str, Any]:
    try:
        return dict(module.state_dict())
    except Exception:  # of a module that has none to give
        return {}


def _place(tensor: Tensor) -> int:
    """Where a tensor's values lie; 0 where there are none."""
    try:
        return tensor.data_ptr()
    except (RuntimeError, NotImplementedError):
        return 0


def _array_bytes(value: Tensor | np.ndarray) -> bytes:
    """Type, shape and values; of what has no values in memory of its own (sparse, meta), the former."""
    head = f"{value.dtype} {list(value.shape)} ".encode()
    try:
        return head + (tensor_bytes(value) if isinstance(value, Tensor) else _plain_bytes(value))
    except (RuntimeError, NotImplementedError, TypeError, ValueError):
        return head


def _plain_bytes(array: np.ndarray) -> bytes:
    if array.dtype.hasobject:
        raise TypeError("an array of objects")
    return np.ascontiguousarray(array).tobytes()
