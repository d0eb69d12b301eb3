"""How small real models are made and saved."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from torch import nn

from fooling.sizes import Size, sides

SIDE = 32
LABELS = ("cat", "dog", "ship", "tree", "house")
ONNX_BESIDE = f"""size = 12
colour = "rgb"
labels = {json.dumps(LABELS)}
[preprocessing]
mean = [0.5, 0.4, 0.3]
std = [0.2, 0.3, 0.4]
"""


def randomised(network: nn.Module, seed: int = 0) -> nn.Module:
    """The network with weights that make it prefer some classes; batch norms with statistics of their own."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, tensor in [*network.named_parameters(), *network.named_buffers()]:
            if name.endswith("running_var"):
                tensor.uniform_(0.5, 1.5, generator=generator)
            elif tensor.ndim > 1 and tensor.is_floating_point():
                fan = max(1, tensor[0].numel())
                tensor.normal_(0, 1.4 * fan**-0.5, generator=generator)
            elif tensor.is_floating_point():
                tensor.add_(torch.randn(tensor.shape, generator=generator), alpha=0.1)
    return network.eval()


def write_clip(path: Path, folder: Path, **changes: Any) -> str:
    """A `clip:` file; its SPEC."""
    keys = {"model": str(folder), "labels": list(LABELS), "template": "a photo of a {}", **changes}
    lines = [f"{key} = {json.dumps(value)}" for key, value in keys.items() if value is not None]
    path.write_text("\n".join(lines) + "\n")
    return f"clip:{path}"


def export(
    network: nn.Module, path: Path, size: Size, *, channels: int = 3, batch: int | None = None
) -> None:
    """Write the network as ONNX, with a batch of that size, or an open one."""
    example = torch.zeros(batch or 2, channels, *sides(size))
    axes = {"input": {0: "batch"}, "output": {0: "batch"}} if batch is None else None
    torch.onnx.export(
        network, (example,), str(path), dynamo=False, dynamic_axes=axes, input_names=["input"], output_names=["output"]
    )  # fmt: skip
