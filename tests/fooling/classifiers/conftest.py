"""Small networks to wrap, and the optional oracle torchvision."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from fooling.classifiers import Classifier, Numerics, Spec, from_module

CPU_TORCHVISION = Path(__file__).parents[2] / "cpu_torchvision"


def _declare() -> None:
    """Let this process import torchvision; a process with the folder on its PYTHONPATH does so by itself."""
    name = CPU_TORCHVISION.name
    found = importlib.util.spec_from_file_location(name, CPU_TORCHVISION / "sitecustomize.py")
    assert found is not None
    assert found.loader is not None
    sys.modules[name] = module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)


if CPU_TORCHVISION.name not in sys.modules:
    _declare()


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
    """torchvision, where it is installed; it need not fit this torch (`tests/cpu_torchvision`)."""
    return pytest.importorskip("torchvision", reason="torchvision is not installed")
