"""Small residual networks with batch norm, in the way of the CIFAR-10 ones (He 2016, section 4.2): a block of
two 3 x 3 convolutions per stage, each stage half the side of the one before and wider.

Unlike there, the first convolution halves the side already, which saves three quarters of the work, and
shortcuts that change shape are 1 x 1 convolutions (He 2016, option B).
"""

from __future__ import annotations

import itertools

from torch import Tensor, nn
from torch.nn import functional


class ResNet(nn.Module):
    """(n, channels, side, side) to (n, classes) logits, for any side.

    Args:
        channels: of the images.
        widths: channels of each stage.
    """

    def __init__(self, classes: int, channels: int, widths: tuple[int, ...]) -> None:
        super().__init__()
        self.stem = nn.Conv2d(channels, widths[0], 3, stride=2, padding=1, bias=False)
        self.stem_norm = nn.BatchNorm2d(widths[0])
        self.stages = nn.Sequential(
            Block(widths[0], widths[0], stride=1),
            *(Block(before, width, stride=2) for before, width in itertools.pairwise(widths)),
        )
        self.head = nn.Linear(widths[-1], classes)

    def forward(self, images: Tensor) -> Tensor:
        """The logits."""
        hidden = functional.relu(self.stem_norm(self.stem(images)))
        return self.head(self.stages(hidden).mean((2, 3)))


class Block(nn.Module):
    """Two convolutions around which the input passes unchanged (He 2016, figure 2), or projected where the
    shape changes."""

    def __init__(self, before: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(before, width, 3, stride=stride, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(width)
        self.shortcut: nn.Module = nn.Identity()
        if before != width:
            self.shortcut = nn.Sequential(
                nn.Conv2d(before, width, 1, stride=stride, bias=False), nn.BatchNorm2d(width)
            )

    def forward(self, hidden: Tensor) -> Tensor:
        """(n, before, side, side) to (n, width, side / stride, side / stride)."""
        residual = functional.relu(self.norm1(self.conv1(hidden)))
        return functional.relu(self.norm2(self.conv2(residual)) + self.shortcut(hidden))
