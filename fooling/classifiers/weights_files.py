"""Weights from files that may come from anywhere: tensors are read, code never runs.

What a file is, its bytes say (`first_look`). safetensors holds tensors only. A file of torch.save has a pickle
in it, read by `torch_files`. Either way the result is flat: a tensor that lies in dictionaries within each
other has a name with a dot for each step, as the parameters of a module within a module have. Which of them are
the network's, `checkpoints` finds out.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import safetensors
import safetensors.torch
import torch
from torch import Tensor, nn

from fooling.classifiers import torch_files
from fooling.errors import InvalidError, first_line
from fooling.first_look import Kind, expect

State = dict[str, Tensor]
_KINDS = (Kind.SAFETENSORS, Kind.TORCH, Kind.OLD_TORCH)
# Counts batches for the training of a batch norm; files from before torch 0.4.1 have none.
COUNTER = ".num_batches_tracked"


def read(path: Path) -> State:
    """The tensors of a file of weights, by name, whatever its own name.

    Raises:
        NotFoundError: no such file.
        InvalidError: another kind of file, a damaged one, or one without named tensors.
    """
    kind = expect(path, "a file of weights (safetensors, or of torch.save)", *_KINDS)
    if kind is Kind.SAFETENSORS:
        return _read_safetensors(path)
    state = torch_files.read(path, kind)
    if not state:
        raise InvalidError(f"{path}: expected a state dict of named tensors, found no tensor with a name")
    return state


def fit(module: nn.Module, state: State, origin: str) -> nn.Module:
    """Put the tensors into a module made on the meta device, as float32; eval mode, no gradients of its own.

    A tensor that the module has under two names may stand in the file under one of them.

    Raises:
        InvalidError: the tensors' names or shapes are not the module's.
    """
    wanted = module.state_dict(keep_vars=True)
    if extra := [name for name in state if name not in wanted]:
        if not wanted.keys() & state.keys():
            raise InvalidError(f"{origin}: expected {_names(list(wanted))}, found {_names(list(state))}")
        raise InvalidError(f"{origin}: expected {_names(list(wanted))}, found {extra[0]!r} too")
    tied = {id(wanted[name]): tensor for name, tensor in state.items()}
    whole: State = {}
    for name, tensor in wanted.items():
        value = state.get(name, tied.get(id(tensor)))
        if value is None and name.endswith(COUNTER):
            value = torch.tensor(0)
        if value is None:
            raise InvalidError(f"{origin}: expected a tensor {name!r}, found {_names(list(state))}")
        if value.shape != tensor.shape:
            raise InvalidError(
                f"{origin}: expected {name!r} of shape {tuple(tensor.shape)}, found {tuple(value.shape)}"
            )
        whole[name] = value.float() if value.is_floating_point() else value
    # Into the module's own dictionary, which knows the versions of its parts' layouts.
    filled = module.state_dict()
    filled.update(whole)
    module.load_state_dict(filled, assign=True)
    return module.eval().requires_grad_(False)


def sha256(path: Path) -> str:
    """The digest of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _names(names: list[str]) -> str:
    shown = ", ".join(repr(name) for name in names[:4])
    return f"{len(names)} tensors: {shown}{', ...' if len(names) > 4 else ''}"


def _read_safetensors(path: Path) -> State:
    """The tensors, those included whose names stand in the metadata: safetensors keeps a tensor that a module
    has under two names once, and there the other name."""
    try:
        state = safetensors.torch.load_file(path)
        with safetensors.safe_open(path, "pt") as file:
            aliases = file.metadata() or {}
    except (safetensors.SafetensorError, OSError, ValueError, KeyError) as error:
        raise InvalidError(
            f"{path}: expected a complete safetensors file: {first_line(error, 160)}"
        ) from None
    return state | {
        name: state[kept] for name, kept in aliases.items() if kept in state and name not in state
    }
