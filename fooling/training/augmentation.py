"""Changes to training images that leave their class what it is: shifts and mirror images (He 2016, section
4.2). For photographs; a mirrored digit is none."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

SHIFT = 4


def crop_flip(images: Tensor, generator: torch.Generator) -> Tensor:
    """Every image shifted by up to 4 pixels each way, black beyond its border, and half of them mirrored.

    Args:
        images: (n, channels, side, side) uint8.
        generator: a CPU generator; three draws per image are taken from it.

    Returns:
        As `images`, in new memory (channels-last).
    """
    count, side = len(images), images.shape[3]
    top, left = torch.randint(2 * SHIFT + 1, (2, count, 1), generator=generator)
    mirrored = torch.randint(2, (count, 1), generator=generator).bool()
    along = torch.arange(side)
    rows, columns = top + along, left + torch.where(mirrored, along.flip(0), along)
    padded = functional.pad(images, (SHIFT,) * 4).permute(0, 2, 3, 1)
    each = torch.arange(count)[:, None, None]
    indices = (index.to(images.device) for index in (each, rows[:, :, None], columns[:, None, :]))
    return padded[tuple(indices)].permute(0, 3, 1, 2)
