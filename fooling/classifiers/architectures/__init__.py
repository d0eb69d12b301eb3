"""The networks whose code comes with this package: a name, a constructor that takes the number of classes,
and the images that the network sees."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch import nn

from fooling.classifiers.architectures.lenet import LeNet
from fooling.classifiers.architectures.mlp import Mlp
from fooling.classifiers.architectures.resnet import ResNet
from fooling.classifiers.architectures.vit import VisionTransformer
from fooling.classifiers.spec import Colour
from fooling.errors import InvalidError, did_you_mean


@dataclass(frozen=True)
class Architecture:
    """A network definition.

    Attributes:
        construct: number of classes to an untrained module.
        size: side of its input.
        colour: channels of its input.
    """

    construct: Callable[[int], nn.Module]
    size: int
    colour: Colour

    def empty(self, classes: int) -> nn.Module:
        """The module without weights (on torch's meta device): no global random number is drawn."""
        with torch.device("meta"):
            return self.construct(classes)


ARCHITECTURES = {
    "lenet": Architecture(LeNet, 28, "grey"),
    "mlp": Architecture(Mlp, 28, "grey"),
    "resnet-mini": Architecture(partial(ResNet, channels=1, widths=(16, 32, 64)), 28, "grey"),
    "vit-mini": Architecture(VisionTransformer, 28, "grey"),
    "resnet-cifar": Architecture(partial(ResNet, channels=3, widths=(28, 56, 112)), 32, "rgb"),
}


def find(name: str) -> Architecture:
    """The architecture of that name.

    Raises:
        InvalidError: there is none; the line lists those there are.
    """
    if name not in ARCHITECTURES:
        raise InvalidError(
            f"unknown architecture {name!r}: expected one of {', '.join(ARCHITECTURES)}"
            f"{did_you_mean(name, ARCHITECTURES)}"
        )
    return ARCHITECTURES[name]
