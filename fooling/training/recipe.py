"""Training a small classifier from images: Caffe's LeNet recipe, the one behind the paper's MNIST network
(Jia 2014, `lenet_solver.prototxt`; Nguyen 2015).

Stochastic gradient descent with momentum 0.9, weight decay 5e-4 and the rate 0.01 (1 + 1e-4 t)^-0.75 after t
steps of 64 images; ten epochs are about its 10,000 steps. Input x / 255, no augmentation, no mean.

Everything random comes from generators made of the seed, and the arithmetic runs on a stated number of
threads: the same data, recipe and machine give the same weights.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from fooling.classifiers import architectures
from fooling.classifiers.classifier import Classifier
from fooling.classifiers.numerics import Numerics, resolve
from fooling.classifiers.samples import Samples
from fooling.classifiers.spec import Spec
from fooling.errors import InvalidError
from fooling.training.idx import read_folder
from fooling.training.measures import Measures, measure


@dataclass(frozen=True)
class Recipe:
    """How a network is trained. The rate after t steps is learning_rate (1 + decay t)^-power."""

    architecture: str = "lenet"
    seed: int = 0
    epochs: int = 10
    batch: int = 64
    learning_rate: float = 0.01
    momentum: float = 0.9
    weight_decay: float = 5e-4
    decay: float = 1e-4
    power: float = 0.75


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
    folder: str | Path,
    recipe: Recipe | None = None,
    *,
    name: str = "lenet",
    labels: tuple[str, ...] | None = None,
    numerics: Numerics | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> Trained:
    """Train on the images of a folder with the four files of MNIST.

    Args:
        labels: left out: "0", "1", ...
        numerics: threads, layout and device to train with; left out: `numerics.resolve()`.
        progress: called after every epoch.

    Raises:
        NotFoundError: a file is not there.
        InvalidError: a file is damaged, or its images are not what the architecture sees.
    """
    training, test = read_folder(Path(folder))
    return fit(training, test, recipe or Recipe(), name, labels, numerics, progress)


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
        _validate(part, data, spec)
    network = initialised(architecture.empty(len(labels)), recipe.seed)
    classifier = Classifier(network, spec, numerics)
    for epoch, loss in _epochs(network, training, recipe, numerics):
        if progress is not None:
            accuracy = measure(classifier, test).accuracy
            progress(Progress(epoch, recipe.epochs, loss, accuracy))
    network.eval().requires_grad_(False)
    trained = Classifier(network, spec, numerics)  # the fingerprint of the weights as they are now
    return Trained(recipe, trained, measure(trained, test), len(training))


def initialised(network: nn.Module, seed: int) -> nn.Module:
    """A module on the meta device, given Caffe's "xavier" weights, U(-a, a) with a = sqrt(3 / inputs of a
    unit), and biases of zero."""
    generator = torch.Generator().manual_seed(seed)
    network = network.to_empty(device="cpu")
    for parameter in network.parameters():
        with torch.no_grad():
            if parameter.ndim == 1:
                parameter.zero_()
            else:
                bound = math.sqrt(3.0 / parameter[0].numel())
                parameter.uniform_(-bound, bound, generator=generator)
    return network


def _epochs(
    network: nn.Module, data: Samples, recipe: Recipe, numerics: Numerics
) -> Iterator[tuple[int, float]]:
    """Train; after each epoch, its number (from 1) and mean loss."""
    images = torch.from_numpy(data.images.copy()).permute(0, 3, 1, 2).to(numerics.device)
    labels = torch.from_numpy(data.labels).to(numerics.device)
    order = torch.Generator().manual_seed(recipe.seed + 1)
    optimiser = torch.optim.SGD(
        network.parameters(), recipe.learning_rate, recipe.momentum, weight_decay=recipe.weight_decay
    )
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: (1.0 + recipe.decay * step) ** -recipe.power
    )
    for epoch in range(1, recipe.epochs + 1):
        total = 0.0
        with numerics.applied(), torch.enable_grad():
            network.train()
            for rows in torch.randperm(len(labels), generator=order).split(recipe.batch):
                total += _step(network, images[rows], labels[rows], optimiser) * len(rows)
                schedule.step()
            network.eval()
        yield epoch, total / len(labels)


def _step(network: nn.Module, images: Tensor, labels: Tensor, optimiser: torch.optim.Optimizer) -> float:
    optimiser.zero_grad()
    loss = functional.cross_entropy(network(images.float().div_(255.0)), labels)
    loss.backward()
    optimiser.step()
    return loss.item()


def _validate(part: str, data: Samples, spec: Spec) -> None:
    expected = (spec.size, spec.size, spec.channels)
    if data.images.shape[1:] != expected:
        raise InvalidError(
            f"expected {part} images of shape {expected} for {spec.name}, found {data.images.shape[1:]}"
        )
    if len(data) == 0 or data.labels.min() < 0 or data.labels.max() >= len(spec.labels):
        raise InvalidError(f"expected {part} labels from 0 to {len(spec.labels) - 1}, found others or none")
