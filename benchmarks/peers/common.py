"""What all peers are measured with: one bare LeNet, one evaluator of what they found, one idea of "installed"."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from fooling import classifiers
from fooling.classifiers import Classifier, Numerics

SIDE, DIGITS = 28, 10
PIXELS = SIDE * SIDE
MODEL = "builtin:lenet"


@dataclass(frozen=True)
class Found:
    """What a search ended with.

    Attributes:
        seconds: that it took, wall clock.
        evaluations: images it classified.
        images: digit -> (28, 28) float in [0, 1], for the digits that it found.
        claimed: digit -> the confidence that it states itself.
    """

    seconds: float
    evaluations: int
    images: Mapping[int, NDArray[Any]]
    claimed: Mapping[int, float]


def optional(name: str) -> Any | None:
    """A module, or None where it isn't installed, saying so."""
    try:
        return importlib.import_module(name)
    except ImportError:
        print(f"{name} is not installed: left out (pip install 'fooling[bench]')", flush=True)
        return None


def lenet() -> Classifier:
    """The classifier of all peers."""
    return classifiers.load(MODEL, numerics=Numerics(layout="nchw"))


def bare(classifier: Classifier) -> Callable[[torch.Tensor], torch.Tensor]:
    """The plain forward pass, as a peer's user would write it: (n, 1, 28, 28) float32 -> (n, 10).

    Raises:
        AssertionError: it doesn't compute what the classifier does.
    """
    network = classifier.network

    def probabilities(images: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            return torch.softmax(network(images), 1)

    images = torch.rand((50, 1, SIDE, SIDE), generator=torch.Generator().manual_seed(0))
    difference = (probabilities(images) - classifier.confidences(images)).abs().max().item()
    assert difference <= 1e-6, f"expected the bare network to agree within 1e-6, found {difference:.2g}"
    return probabilities


def evaluate(found: Found, classifier: Classifier) -> NDArray[np.float64]:
    """The confidence that each digit's image has as 8-bit pixels, (10,): one evaluator for all peers. A digit
    that wasn't found counts 0."""
    confidences = np.zeros(DIGITS)
    for digit, image in found.images.items():
        pixels = np.floor(np.clip(image, 0.0, 1.0) * 255.0 + 0.5).astype(np.uint8)
        confidences[digit] = classifier.classify(pixels.reshape(1, SIDE, SIDE, 1))[0, digit]
    return confidences
