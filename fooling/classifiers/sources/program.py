"""Networks that carry their own code: files of torch.export and of TorchScript, told apart by their bytes.

Both run what their author put in: the former can hold a pickle that `torch.export.load` executes, the latter
holds code. Only with trust; nothing is opened without.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from fooling.classifiers.sources.python import require_trust
from fooling.classifiers.weights_files import sha256
from fooling.errors import InvalidError, first_line
from fooling.first_look import Kind, expect


def read(path: Path, trust: bool) -> tuple[nn.Module, str]:
    """The module, and the digest of its file.

    Raises:
        NotFoundError: no such file.
        InvalidError: no trust, a file of another kind, or exported for another batch.
    """
    kind = expect(
        path,
        "a program (of torch.export or TorchScript; weights = FILE names a state dict)",
        Kind.EXPORTED,
        Kind.TORCHSCRIPT,
    )
    require_trust(trust, f"{path} carries code that loading would run")
    try:
        module = _exported(path) if kind is Kind.EXPORTED else torch.jit.load(path).eval()
    except InvalidError:
        raise
    except Exception as error:
        raise InvalidError(f"{path}: expected {kind.value}, complete: {first_line(error, 160)}") from None
    for parameter in module.parameters():
        parameter.requires_grad_(False)
    return module, sha256(path)


def _exported(path: Path) -> nn.Module:
    exported = torch.export.load(path)
    for node in exported.graph.nodes:
        if node.op == "placeholder" and node.name in exported.graph_signature.user_inputs:
            batch = node.meta["val"].shape[0]
            if isinstance(batch, int):
                raise InvalidError(
                    f"{path}: expected a program with a dynamic batch, found a fixed one of {batch}: "
                    'export it with dynamic_shapes=({0: torch.export.Dim("batch")},)'
                )
    module = exported.module()
    for part in module.modules():
        part.training = False  # its mode was fixed at the export; its own eval() refuses
    return module
