"""Weights from files that may come from anywhere: tensors are read, code never runs.

safetensors holds tensors only. A `.pt` is a zip with a pickle in it, read by torch's restricted unpickler
(`weights_only=True`, always) after its sizes have been looked at, so that a small file cannot unfold into a
large one.
"""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path

import safetensors
import safetensors.torch
import torch
from torch import Tensor, nn

from fooling.errors import InvalidError, NotFoundError

State = dict[str, Tensor]


def read(path: Path) -> State:
    """The tensors of a .safetensors or .pt file, by name.

    Raises:
        NotFoundError: no such file.
        InvalidError: another kind of file, a damaged one, or one that holds more than tensors.
    """
    if not path.is_file():
        raise NotFoundError(f"{path}: expected a file of weights, found none")
    if path.suffix == ".safetensors":
        return _read_safetensors(path)
    if path.suffix in (".pt", ".pth"):
        return _read_pt(path)
    raise InvalidError(f"{path}: expected weights in .safetensors, .pt or .pth, found {path.suffix!r}")


def fit(module: nn.Module, state: State, origin: str) -> nn.Module:
    """Put the tensors into a module made on the meta device, as float32; eval mode, no gradients of its own.

    Raises:
        InvalidError: the tensors' names or shapes are not the module's.
    """
    wanted = module.state_dict()
    for name, tensor in wanted.items():
        if name not in state:
            raise InvalidError(f"{origin}: expected a tensor {name!r}, found {_names(state)}")
        if state[name].shape != tensor.shape:
            raise InvalidError(
                f"{origin}: expected {name!r} of shape {tuple(tensor.shape)}, "
                f"found {tuple(state[name].shape)}"
            )
    if extra := [name for name in state if name not in wanted]:
        raise InvalidError(f"{origin}: expected {_names(wanted)}, found {extra[0]!r} too")
    # Into the module's own dictionary, which knows the versions of its parts' layouts.
    wanted.update(
        (name, value.float() if value.is_floating_point() else value) for name, value in state.items()
    )
    module.load_state_dict(wanted, assign=True)
    return module.eval().requires_grad_(False)


def sha256(path: Path) -> str:
    """The digest of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _names(state: State) -> str:
    shown = ", ".join(repr(name) for name in list(state)[:4])
    return f"{len(state)} tensors: {shown}{', ...' if len(state) > 4 else ''}"


def _read_safetensors(path: Path) -> State:
    try:
        return safetensors.torch.load_file(path)
    except (safetensors.SafetensorError, OSError, ValueError, KeyError) as error:
        raise InvalidError(f"{path}: expected a complete safetensors file: {_line(error)}") from None


def _read_pt(path: Path) -> State:
    _refuse_bomb(path)
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise InvalidError(
            f"{path}: expected a state dict and nothing else (torch.save(model.state_dict(), ...)); refused, "
            f"since reading it could run code: {_line(error)}"
        ) from None
    if not isinstance(state, dict) or not all(
        isinstance(name, str) and isinstance(value, Tensor) for name, value in state.items()
    ):
        raise InvalidError(f"{path}: expected a state dict of named tensors, found {type(state).__name__}")
    return dict(state)


def _refuse_bomb(path: Path) -> None:
    """torch writes its zips uncompressed, so their parts together are never larger than the file."""
    try:
        with zipfile.ZipFile(path) as archive:
            unfolded = sum(part.file_size for part in archive.infolist())
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise InvalidError(
            f"{path}: expected a file written by torch.save (1.6 or later): {_line(error)}"
        ) from None
    if unfolded > path.stat().st_size:
        raise InvalidError(
            f"{path}: expected a state dict, uncompressed as torch.save writes it, "
            f"found {path.stat().st_size} bytes that unfold into {unfolded} (is it TorchScript, a program?)"
        )


def _line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:160]
