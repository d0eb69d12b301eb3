"""Small networks to wrap, and the optional oracle torchvision."""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from fooling.classifiers import Classifier, Numerics, Spec, from_module


class Tiny(nn.Module):
    """(n, 3, 12, 12) to (n, 5) logits."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3)
        self.head = nn.Linear(8, 5)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(torch.relu(self.conv(x)).mean((2, 3)))


@pytest.fixture
def tiny() -> nn.Module:
    """A colour network with weights from a fixed seed, wide enough that it prefers some classes."""
    network = Tiny()
    generator = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(2 * torch.randn(parameter.shape, generator=generator))
    return network.eval()


def spec_with(**changes: Any) -> Spec:
    values = {"name": "tiny", "size": 12, "colour": "rgb", "labels": tuple("abcde"), **changes}
    return Spec(**values)


@pytest.fixture
def spec() -> Callable[..., Spec]:
    """`spec(output="scores", ...)`: the spec of the tiny network, with changes."""
    return spec_with


@pytest.fixture
def wrap(tiny: nn.Module) -> Callable[..., Classifier]:
    """`wrap(network=None, batch=4, **spec)`: a classifier of a network, the tiny one by default."""

    def make(network: Any = None, *, batch: int = 4, **changes: Any) -> Classifier:
        return from_module(network or tiny, spec_with(**changes), Numerics(batch=batch))

    return make


@pytest.fixture(scope="session")
def torchvision() -> ModuleType:
    """torchvision, where it is installed. Its wheels are built for CUDA and do not import beside a torch
    without: the operators that it misses, none of which is used here, are declared first."""
    library = torch.library.Library("torchvision", "DEF")
    for _ in range(50):
        try:
            return importlib.import_module("torchvision")
        except ImportError:
            pytest.skip("torchvision is not installed")
        except RuntimeError as error:
            missing = re.search(r"torchvision::(\w+) does not exist", str(error))
            if missing is None:
                raise
            library.define(f"{missing[1]}(Tensor x) -> Tensor")
            for name in [name for name in sys.modules if name.startswith("torchvision")]:
                del sys.modules[name]
    pytest.skip("torchvision does not import beside this torch")
