"""Caffe's LeNet, the MNIST network of the paper (LeCun 1998; Nguyen 2015, released prototxt)."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional


class LeNet(nn.Module):
    """(n, 1, 28, 28) to (n, classes) logits.

    Its only non-linearities are the pooling and one ReLU; the names are those of the authors' checkpoint.
    """

    def __init__(self, classes: int = 10) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 20, 5)
        self.conv2 = nn.Conv2d(20, 50, 5)
        self.ip1 = nn.Linear(800, 500)
        self.ip2 = nn.Linear(500, classes)

    def forward(self, images: Tensor) -> Tensor:
        """The logits."""
        hidden = functional.max_pool2d(self.conv1(images), 2)
        hidden = functional.max_pool2d(self.conv2(hidden), 2)
        return self.ip2(functional.relu(self.ip1(hidden.flatten(1))))
