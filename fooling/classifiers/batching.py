"""Physical batches: pixels on their way to the device, and parts of a batch filled up to its fixed size."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


def sent(pixels: NDArray[np.uint8], device: torch.device) -> Tensor:
    """The pixels on a device. They travel to CUDA in one piece, from pinned memory."""
    source = np.ascontiguousarray(pixels)
    if not source.flags.writeable:  # arrays from shared memory are not, and torch has no read-only tensors
        source = source.copy()
    images = torch.from_numpy(source)
    if device.type == "cpu":
        return images
    return images.pin_memory().to(device, non_blocking=True)


def full_batch(part: Tensor, rows: int, device: torch.device, layout: torch.memory_format) -> Tensor:
    """A physical batch of `rows` images: those of a part, and black ones behind them.

    The batch is new memory, since networks may write into their input.

    Args:
        part: (n, channels, height, width) with n at most `rows`: float32 in [0, 1], or uint8, which is divided by 255.
        layout: the memory layout of the batch.

    Returns:
        (rows, channels, height, width) float32 in [0, 1] on the device.
    """
    count = part.shape[0]
    if part.device != device:  # bytes travel to the device as bytes
        part = part.to(device)
    batch = part.to(torch.float32, memory_format=layout, copy=True)
    if count < rows:
        shape = (rows, *part.shape[1:])
        whole = torch.empty(shape, device=batch.device, dtype=torch.float32, memory_format=layout)
        whole[:count], whole[count:] = batch, 0.0
        batch = whole
    return batch.div_(255.0) if part.dtype == torch.uint8 else batch
