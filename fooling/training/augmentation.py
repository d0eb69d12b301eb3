"""Changes to training images that leave their class what it is: shifts, and mirror images (He 2016, section 4.2).
The latter are for photographs; a mirrored digit is none."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor
from torch.nn import functional


def shifted(images: Tensor, generator: torch.Generator, by: int, mirror: bool = False) -> Tensor:
    """Every image shifted by up to `by` pixels each way, black beyond its border; with `mirror`, half of them
    mirrored too.

    Args:
        images: (n, channels, side, side) uint8.
        generator: a CPU generator; two draws per image are taken from it, or three.

    Returns:
        As `images`, in new memory (channels-last).
    """
    count, side = len(images), images.shape[3]
    top, left = torch.randint(2 * by + 1, (2, count, 1), generator=generator)
    along = torch.arange(side)
    rows, columns = top + along, left + along
    if mirror:
        mirrored = torch.randint(2, (count, 1), generator=generator).bool()
        columns = left + torch.where(mirrored, along.flip(0), along)
    padded = functional.pad(images, (by,) * 4).permute(0, 2, 3, 1)
    each = torch.arange(count)[:, None, None]
    indices = (index.to(images.device) for index in (each, rows[:, :, None], columns[:, None, :]))
    return padded[tuple(indices)].permute(0, 3, 1, 2)


AUGMENTATIONS: dict[str, Callable[[Tensor, torch.Generator], Tensor]] = {
    "none": lambda images, generator: images,
    "shift": partial(shifted, by=2),
    "crop-flip": partial(shifted, by=4, mirror=True),
}
