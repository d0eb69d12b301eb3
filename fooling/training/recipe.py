"""Training a small classifier from images, by a recipe that belongs to its architecture.

LeNet's is Caffe's, the one behind the paper's MNIST network (Jia 2014, `lenet_solver.prototxt`; Nguyen 2015):
stochastic gradient descent with momentum 0.9, weight decay 5e-4 and the rate 0.01 (1 + 1e-4 t)^-0.75 after t
steps of 64 images; ten epochs are about its 10,000 steps. Input x / 255, no augmentation, no mean.

The others' rate rises for a tenth of the steps and then follows half a cosine to zero (Loshchilov 2017,
without restarts).

Everything random comes from generators made of the seed, and the arithmetic runs on a stated number of
threads: the same data, recipe and machine give the same weights.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, get_args

import torch
from torch import nn

from fooling.classifiers import architectures
from fooling.classifiers.classifier import Classifier
from fooling.classifiers.numerics import Numerics, resolve
from fooling.classifiers.spec import Spec
from fooling.datasets.samples import Samples
from fooling.errors import InvalidError
from fooling.training.data import read, shape_for
from fooling.training.descent import epochs
from fooling.training.measures import Measures, measure

Optimiser = Literal["sgd", "adamw"]
Schedule = Literal["inverse", "cosine"]
Augmentation = Literal["none", "shift", "crop-flip"]


@dataclass(frozen=True)
class Recipe:
    """How a network is trained.

    Attributes:
        learning_rate: the highest.
        schedule: "inverse": the rate after t steps is learning_rate (1 + decay t)^-power; "cosine": it rises
            for a tenth of the steps, then falls to zero.
        momentum: of "sgd".
        augmentation: "shift": by up to 2 pixels each way; "crop-flip": by up to 4, half of them mirrored
            (`fooling.training.augmentation`).
    """

    architecture: str = "lenet"
    seed: int = 0
    epochs: int = 10
    batch: int = 64
    learning_rate: float = 0.01
    momentum: float = 0.9
    weight_decay: float = 5e-4
    decay: float = 1e-4
    power: float = 0.75
    optimiser: Optimiser = "sgd"
    schedule: Schedule = "inverse"
    augmentation: Augmentation = "none"

    def __post_init__(self) -> None:
        choices = {"optimiser": Optimiser, "schedule": Schedule, "augmentation": Augmentation}
        for name, choice in choices.items():
            if (value := getattr(self, name)) not in get_args(choice):
                raise InvalidError(
                    f"recipe: expected {name} to be one of {', '.join(get_args(choice))}, found {value!r}"
                )


# Weight decay decides how sure vit-mini gets: at 0.01 it names four test digits of five at 0.9999 (LeNet: two
# of three), at 0.05 one of forty, and evolution finds nothing above 0.99993; at 0.03 it is much like LeNet.
RECIPES = {
    "lenet": Recipe(),
    "mlp": Recipe("mlp", epochs=20, learning_rate=0.1, schedule="cosine"),
    "resnet-mini": Recipe("resnet-mini", epochs=5, learning_rate=0.1, schedule="cosine"),
    "vit-mini": Recipe(
        "vit-mini",
        epochs=12,
        optimiser="adamw",
        learning_rate=0.002,
        weight_decay=0.03,
        schedule="cosine",
    ),
    "resnet-cifar": Recipe(
        "resnet-cifar",
        epochs=24,
        learning_rate=0.1,
        schedule="cosine",
        augmentation="crop-flip",
    ),
}


def recipe_for(architecture: str, **changes: Any) -> Recipe:
    """The recipe that an architecture is trained by, with changes: `recipe_for("mlp", seed=3)`.

    Raises:
        InvalidError: no such architecture.
    """
    architectures.find(architecture)
    return replace(RECIPES[architecture], **changes)


@dataclass(frozen=True)
class Progress:
    """Where training stands, after each epoch.

    Attributes:
        epoch: epochs done.
        epochs: of how many.
        loss: mean cross-entropy of the epoch's training batches.
        accuracy: on the test set.
    """

    epoch: int
    epochs: int
    loss: float
    accuracy: float


@dataclass(frozen=True)
class Trained:
    """A trained network and what it is worth."""

    recipe: Recipe
    classifier: Classifier
    measures: Measures
    training_images: int


def train(
    data: str | Path,
    recipe: Recipe | None = None,
    *,
    name: str = "lenet",
    labels: tuple[str, ...] | None = None,
    numerics: Numerics | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> Trained:
    """Train on labelled images, in any form that has training and test images (`fooling.datasets.parts`).

    Args:
        labels: left out: those of the data, or "0", "1", ...
        numerics: threads, layout and device to train with; left out: `numerics.resolve()`.
        progress: called after every epoch.

    Raises:
        NotFoundError: a file is not there.
        InvalidError: a file is damaged, or its images are not what the architecture sees.
    """
    recipe = recipe or Recipe()
    training, test, known = read(Path(data), shape_for(recipe.architecture))
    return fit(training, test, recipe, name, labels or known, numerics, progress)


def fit(
    training: Samples,
    test: Samples,
    recipe: Recipe,
    name: str,
    labels: tuple[str, ...] | None = None,
    numerics: Numerics | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> Trained:
    """As `train`, on images in memory."""
    numerics = numerics or resolve()
    classes = 1 + int(max(training.labels.max(initial=0), test.labels.max(initial=0)))
    labels = labels or tuple(str(index) for index in range(classes))
    architecture = architectures.find(recipe.architecture)
    spec = Spec(name=name, size=architecture.size, colour=architecture.colour, labels=labels)
    for part, data in (("training", training), ("test", test)):
        _validate(part, data, spec, recipe.architecture)
    network = initialised(architecture.empty(len(labels)), recipe.seed)
    classifier = Classifier(network, spec, numerics)
    for epoch, loss in epochs(network, training, recipe, numerics):
        if progress is not None:
            accuracy = measure(classifier, test).accuracy
            progress(Progress(epoch, recipe.epochs, loss, accuracy))
    network.eval().requires_grad_(False)
    trained = Classifier(network, spec, numerics)  # the fingerprint of the weights as they are now
    return Trained(recipe, trained, measure(trained, test), len(training))


def initialised(network: nn.Module, seed: int) -> nn.Module:
    """A module on the meta device, given Caffe's "xavier" weights, U(-a, a) with a = sqrt(3 / inputs of a
    unit), and biases of zero; norms begin as the identity, their statistics as those of a standard normal."""
    generator = torch.Generator().manual_seed(seed)
    network = network.to_empty(device="cpu")
    for parameter in network.parameters():
        with torch.no_grad():
            if parameter.ndim == 1:
                parameter.zero_()
            else:
                bound = math.sqrt(3.0 / parameter[0].numel())
                parameter.uniform_(-bound, bound, generator=generator)
    for module in network.modules():
        if isinstance(module, (nn.BatchNorm2d, nn.LayerNorm)):
            module.reset_parameters()  # draws nothing
    return network


def _validate(part: str, data: Samples, spec: Spec, architecture: str) -> None:
    if (found := data.images.shape[1:]) != spec.image_shape:
        fitting = [
            name
            for name, other in architectures.ARCHITECTURES.items()
            if (other.size, other.size, 1 if other.colour == "grey" else 3) == found
        ]
        raise InvalidError(
            f"expected {part} images of shape {spec.image_shape} for {architecture}, found {found}"
            + (f"; for those: {', '.join(fitting)}" if fitting else "")
        )
    if len(data) == 0 or data.labels.min() < 0 or data.labels.max() >= len(spec.labels):
        raise InvalidError(f"expected {part} labels from 0 to {len(spec.labels) - 1}, found others or none")
