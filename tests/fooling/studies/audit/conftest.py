"""What tests of the audit share: a small classifier with features, and images."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from fooling.classifiers import Classifier, Numerics, Spec, from_module
from fooling.studies.audit.detectors.protocol import Network, Shown


@pytest.fixture(scope="session")
def library() -> ModuleType:
    """pytorch-ood's detectors, the other opinion: they import torchvision, which need not fit this torch."""
    importlib.import_module("tests.fooling.classifiers.conftest")  # lets this process import torchvision
    pytest.importorskip("torchvision", reason="torchvision is not installed")
    found: ModuleType = pytest.importorskip("pytorch_ood.detector", reason="pytorch-ood is not installed")
    return found


class Net(nn.Module):
    """Six by six grey pixels to `classes` logits, through 12 features of which one is always 0."""

    def __init__(self, classes: int = 4) -> None:
        super().__init__()
        self.body, self.head = nn.Linear(36, 12), nn.Linear(12, classes)
        with torch.no_grad():
            self.body.bias[0] = -1e3

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.head(self.body(images.flatten(1) * 4 - 2).relu())


@pytest.fixture
def classifier() -> Callable[..., Classifier]:
    """`classifier(classes=4, **spec)`: a small classifier."""

    def make(classes: int = 4, **changes: Any) -> Classifier:
        torch.manual_seed(3)
        values = {"name": "net", "size": 6, "colour": "grey", "labels": tuple("abcdefgh"[:classes])}
        return from_module(Net(classes).eval(), Spec(**{**values, **changes}), Numerics(batch=16))

    return make


@pytest.fixture
def shown() -> Callable[..., Shown]:
    """`shown(n, classes=4, seed=0)`: random logits and features, and classes that the logits mostly have highest."""

    def make(n: int, classes: int = 4, seed: int = 0) -> Shown:
        random = np.random.default_rng(seed)
        labels = random.integers(0, classes, n)
        logits = random.normal(0, 2, (n, classes)) + 5 * np.eye(classes)[labels]
        features = random.normal(0, 1, (n, 12)) + 2 * random.normal(0, 1, (classes, 12))[labels]
        exps = np.exp(logits - logits.max(axis=1, keepdims=True))
        pixels = random.integers(0, 256, (n, 6, 6, 1), np.uint8)
        return Shown(pixels, exps / exps.sum(axis=1, keepdims=True), logits, features, labels)

    return make


@pytest.fixture
def network(classifier: Callable[..., Classifier]) -> Network:
    """The small classifier as detectors see it, with a head of its own."""
    random = np.random.default_rng(5)
    return Network(classifier(), None, random.normal(0, 1, (4, 12)), random.normal(0, 1, 4))
