"""Training a small classifier from images, by a recipe that belongs to its architecture (`fooling.training.recipe`).

Everything random comes from generators made of the seed, and the arithmetic runs on a stated number of
threads: the same data, recipe and machine give the same weights.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from fooling.classifiers import architectures
from fooling.classifiers.classifier import Classifier
from fooling.classifiers.numerics import Numerics, resolve
from fooling.classifiers.spec import Spec
from fooling.datasets.samples import Samples
from fooling.errors import InvalidError
from fooling.sizes import channels_of
from fooling.training.data import read, shape_for
from fooling.training.descent import epochs
from fooling.training.measures import Measures, measure
from fooling.training.recipe import TrainingRecipe


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

    recipe: TrainingRecipe
    classifier: Classifier
    measures: Measures
    training_images: int


def train(
    data: str | Path,
    recipe: TrainingRecipe | None = None,
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
    recipe = recipe or TrainingRecipe()
    training, test, known = read(Path(data), shape_for(recipe.architecture))
    return fit(training, test, recipe, name, labels or known, numerics, progress)


def fit(
    training: Samples,
    test: Samples,
    recipe: TrainingRecipe,
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
            if (other.size, other.size, channels_of(other.colour)) == found
        ]
        raise InvalidError(
            f"expected {part} images of shape {spec.image_shape} for {architecture}, found {found}"
            + (f"; for those: {', '.join(fitting)}" if fitting else "")
        )
    if len(data) == 0 or data.labels.min() < 0 or data.labels.max() >= len(spec.labels):
        raise InvalidError(f"expected {part} labels from 0 to {len(spec.labels) - 1}, found others or none")
