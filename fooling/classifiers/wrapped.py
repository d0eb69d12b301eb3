"""A classifier with something in front of it, or between it and whoever asks, as a classifier of its own.

What is wrapped answers about 8-bit pixels with a number in [0, 1] for each class. So everything that asks classifiers,
the search among it, can be pointed at a filter and a network together, at a detector beside a network, or at a service
that says less than its network knows.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fooling.classifiers.classifier import Classifier
from fooling.classifiers.numerics import Numerics
from fooling.classifiers.spec import Preprocessing, Spec


class Answering(Protocol):
    """Something that answers about images. The same image always gets the same answer, whatever comes with it."""

    @property
    def identity(self) -> str:
        """All that tells it from others, for the fingerprint; it names the fingerprint of the network behind it."""
        ...

    def __call__(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(n, K) float32 in [0, 1], of (n, H, W, C) uint8; NaN for an image that there is no answer about."""
        ...

    def under(self, numerics: Numerics) -> Answering:
        """The same, its network computing under other numerics."""
        ...


class Wrapped:
    """A network for `Classifier`: (rows, channels, height, width) in [0, 1] to what is answered about these images, in
    8 bits. No gradients reach the images."""

    def __init__(self, answering: Answering, classes: int) -> None:
        self.answering, self._classes = answering, classes

    @property
    def identity(self) -> str:
        """For the fingerprint."""
        return self.answering.identity

    def __call__(self, images: Tensor) -> Tensor:
        if torch.is_grad_enabled() and images.requires_grad:  # asked whether gradients reach them: they don't
            return torch.zeros(len(images), self._classes, device=images.device)
        pixels = images.mul(255.0).round_().to(torch.uint8).permute(0, 2, 3, 1).cpu().numpy()
        return torch.from_numpy(self.answering(np.ascontiguousarray(pixels))).to(images.device)

    def with_numerics(self, numerics: Numerics) -> Wrapped:
        """The same, its network computing under other numerics."""
        return Wrapped(self.answering.under(numerics), self._classes)


def wrapped(answering: Answering, spec: Spec, numerics: Numerics, name: str) -> Classifier:
    """A classifier that says what `answering` says.

    Args:
        spec: of the network behind it: size, colour, labels, groups.
        numerics: those of the network behind it; with them, the answers have the bits that it gives when asked
            directly.
        name: what reports call it.
    """
    own = spec.model_copy(
        update={
            "name": name,
            "output": "scores",
            "output_key": None,
            "preprocessing": Preprocessing(),
            "accuracy": None,
        }
    )
    network = Wrapped(answering, len(spec.labels))
    return Classifier(network, own, numerics, identity=answering.identity, hidden="")
