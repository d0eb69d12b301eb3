"""A small attention network: a vision transformer (Dosovitskiy 2021) with the simplifications of Beyer 2022
("Better plain ViT baselines"): the mean of all tokens instead of a class token, no dropout.

Attention is written out as products and a softmax. Which fused kernel `scaled_dot_product_attention` takes
depends on the device, on the shapes and on whether gradients are recorded; the bits of a confidence must not.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


class VisionTransformer(nn.Module):
    """(n, 1, 28, 28) to (n, classes) logits.

    Args:
        patch: side of the squares that become tokens.
        width: numbers per token.
        heads: divides the width.
    """

    def __init__(
        self,
        classes: int = 10,
        side: int = 28,
        patch: int = 7,
        width: int = 64,
        depth: int = 4,
        heads: int = 4,
    ) -> None:
        super().__init__()
        self.patches = nn.Conv2d(1, width, patch, stride=patch)
        self.positions = nn.Parameter(torch.empty((side // patch) ** 2, width))
        self.blocks = nn.Sequential(*(Block(width, heads) for _ in range(depth)))
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, classes)

    def forward(self, images: Tensor) -> Tensor:
        """The logits."""
        tokens = self.patches(images).flatten(2).transpose(1, 2) + self.positions
        return self.head(self.norm(self.blocks(tokens)).mean(1))


class Block(nn.Module):
    """Attention, then a perceptron for each token, each normalised before and added to its input (Xiong 2020:
    "pre-norm" trains without a long warm-up)."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(width)
        self.attention = Attention(width, heads)
        self.norm2 = nn.LayerNorm(width)
        self.widen = nn.Linear(width, 2 * width)
        self.narrow = nn.Linear(2 * width, width)

    def forward(self, tokens: Tensor) -> Tensor:
        """(n, tokens, width) to the same shape."""
        tokens = tokens + self.attention(self.norm1(tokens))
        return tokens + self.narrow(functional.gelu(self.widen(self.norm2(tokens))))


class Attention(nn.Module):
    """Every token gathers from all tokens what answers its query (Vaswani 2017, section 3.2)."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.project = nn.Linear(width, 3 * width)
        self.gather = nn.Linear(width, width)

    def forward(self, tokens: Tensor) -> Tensor:
        """(n, tokens, width) to the same shape."""
        count, length, width = tokens.shape
        parts = self.project(tokens).view(count, length, 3, self.heads, width // self.heads)
        query, key, value = parts.permute(2, 0, 3, 1, 4)  # each (n, heads, tokens, width / heads)
        weights = (query @ key.transpose(2, 3) * (width // self.heads) ** -0.5).softmax(3)
        return self.gather((weights @ value).transpose(1, 2).reshape(count, length, width))
