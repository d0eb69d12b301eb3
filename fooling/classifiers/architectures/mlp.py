"""A multilayer perceptron, the network without any notion of neighbourhood (Rumelhart 1986; on MNIST: LeCun
1998, section III.C): what fools it shows what convolutions are to blame for, and what they are not."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional


class Mlp(nn.Module):
    """(n, 1, 28, 28) to (n, classes) logits: two hidden layers of rectified linear units."""

    def __init__(self, classes: int = 10, side: int = 28, width: int = 256) -> None:
        super().__init__()
        self.hidden1 = nn.Linear(side * side, width)
        self.hidden2 = nn.Linear(width, width)
        self.head = nn.Linear(width, classes)

    def forward(self, images: Tensor) -> Tensor:
        """The logits."""
        hidden = functional.relu(self.hidden1(images.flatten(1)))
        return self.head(functional.relu(self.hidden2(hidden)))
