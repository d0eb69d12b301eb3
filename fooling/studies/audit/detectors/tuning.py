"""A copy of a network, trained on: what detectors need that are networks themselves.

Normalisation keeps its statistics and dropout is off, as when the network is asked. Each batch has as many other images
as real ones. Plain stochastic gradient descent, with the rate falling along half a cosine (Hendrycks et al. 2019, for
fine-tuning).
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from fooling.classifiers import Classifier
from fooling.classifiers.modules import copied_network
from fooling.classifiers.outputs import per_class
from fooling.classifiers.spec import Spec
from fooling.studies.audit.detectors.protocol import Network, NotMeasurable, Shown, classes_of

BATCH, RATE, MOMENTUM, DECAY = 64, 0.001, 0.9, 5e-4
MOST_PARAMETERS = 5_000_000
# From the logits of real images, their classes, and the logits of other images, to what is made small.
Loss = Callable[[Tensor, Tensor, Tensor], Tensor]


def copy_of(network: Network) -> nn.Module:
    """The network's module, to be trained.

    Raises:
        NotMeasurable: it is too large to be trained here, or sees ten crops.
    """
    classifier = network.classifier
    module = copied_network(classifier.network, classifier.spec)
    assert isinstance(module, nn.Module)
    size = sum(parameter.numel() for parameter in module.parameters())
    if size > MOST_PARAMETERS:
        raise NotMeasurable(
            f"needs a network of at most {MOST_PARAMETERS:,} weights to train, found {size:,}"
        )
    if classifier.spec.views > 1:
        raise NotMeasurable("needs a network that sees one view of an image to train, found ten crops")
    return module


def tuned(
    network: Network, module: nn.Module, spec: Spec, real: Shown, others: NDArray[np.uint8], loss: Loss
) -> Classifier:
    """Train a module, in place, and make a classifier of it.

    Args:
        spec: of the module, which may have more classes than the network.
        real: images and classes.
        others: (m, H, W, C) uint8.
    """
    training, classifier = network.training, network.classifier
    assert training is not None
    numerics = classifier.numerics
    device = torch.device(numerics.device)
    images, outliers = _tensor(real.pixels, device), _tensor(others, device)
    classes = torch.from_numpy(classes_of(real)).to(device)
    order = torch.Generator().manual_seed(training.seed)
    steps = training.epochs * math.ceil(len(images) / BATCH)
    with numerics.applied(), torch.inference_mode(False), torch.enable_grad():
        module.eval().requires_grad_(True)
        descend = torch.optim.SGD(module.parameters(), RATE, MOMENTUM, weight_decay=DECAY, nesterov=True)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(descend, steps)
        for _ in range(training.epochs):
            for rows in torch.randperm(len(images), generator=order).split(BATCH):
                beside = torch.randint(len(outliers), (len(rows),), generator=order)
                batch = torch.cat([images[rows], outliers[beside]]).permute(0, 3, 1, 2).float() / 255.0
                put_out = per_class(module(classifier.preprocess(batch)), spec, len(batch))
                descend.zero_grad()
                loss(put_out[: len(rows)], classes[rows], put_out[len(rows) :]).backward()
                descend.step()
                schedule.step()
        module.requires_grad_(False)
    return Classifier(module, spec, numerics, mean_image=classifier.mean_image)


def logits_by(classifier: Classifier, shown: Shown) -> NDArray[np.float64]:
    """(n, K) float64: what another network puts out for the images."""
    return classifier.logits(shown.pixels).astype(np.float64)


def _tensor(pixels: NDArray[np.uint8], device: torch.device) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(pixels)).to(device)
