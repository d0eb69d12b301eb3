"""Networks that carry their own code: `.pt2` (torch.export) and TorchScript `.pt`.

Both run what their author put in: a `.pt2` can hold a pickle that `torch.export.load` executes, and a
TorchScript archive holds code. Only with trust; nothing is opened without.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from fooling.classifiers.sources.python import require_trust
from fooling.classifiers.weights_files import sha256
from fooling.errors import InvalidError, NotFoundError


def read(path: Path, trust: bool) -> tuple[nn.Module, str]:
    """The module, and the digest of its file.

    Raises:
        NotFoundError: no such file.
        InvalidError: no trust, a file of another kind, or exported for another batch.
    """
    if not path.is_file():
        raise NotFoundError(f"{path}: expected a program (.pt2 or TorchScript .pt), found none")
    require_trust(trust, f"{path} carries code that loading would run")
    try:
        module = _exported(path) if path.suffix == ".pt2" else torch.jit.load(path).eval()
    except InvalidError:
        raise
    except Exception as error:
        kind = "torch.export" if path.suffix == ".pt2" else "TorchScript"
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:160]
        raise InvalidError(f"{path}: expected a {kind} program: {reason}") from None
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
