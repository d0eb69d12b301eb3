"""How weights descend: the optimiser, the rate at each step, and the order of the images.

Everything random comes from generators made of the recipe's seed, one per purpose, so that what one draws
moves no other.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional

from fooling.classifiers.numerics import Numerics
from fooling.datasets.samples import Samples
from fooling.training.augmentation import AUGMENTATIONS
from fooling.training.recipe import TrainingRecipe

# Share of the steps in which the rate of the schedule "cosine" rises.
_WARM_UP = 0.1


def epochs(
    network: nn.Module, data: Samples, recipe: TrainingRecipe, numerics: Numerics
) -> Iterator[tuple[int, float]]:
    """Train the network, in place; after each epoch, its number (from 1) and mean loss. In between, the
    network is in eval mode."""
    images = torch.from_numpy(data.images.copy()).permute(0, 3, 1, 2).to(numerics.device)
    labels = torch.from_numpy(data.labels).to(numerics.device)
    order, changes = (torch.Generator().manual_seed(recipe.seed + purpose) for purpose in (1, 2))
    descend, augment = optimiser(network, recipe), AUGMENTATIONS[recipe.augmentation]
    steps = recipe.epochs * math.ceil(len(labels) / recipe.batch)
    schedule = torch.optim.lr_scheduler.LambdaLR(descend, rate(recipe, steps))
    for epoch in range(1, recipe.epochs + 1):
        total = 0.0
        with numerics.applied(), torch.enable_grad():
            network.train()
            for rows in torch.randperm(len(labels), generator=order).split(recipe.batch):
                batch = augment(images[rows], changes)
                total += _step(network, batch, labels[rows], descend) * len(rows)
                schedule.step()
            network.eval()
        yield epoch, total / len(labels)


def optimiser(network: nn.Module, recipe: TrainingRecipe) -> torch.optim.Optimizer:
    """The recipe's optimiser of the network's weights."""
    if recipe.optimiser == "adamw":  # Loshchilov 2019
        return torch.optim.AdamW(network.parameters(), recipe.learning_rate, weight_decay=recipe.weight_decay)
    return torch.optim.SGD(
        network.parameters(), recipe.learning_rate, recipe.momentum, weight_decay=recipe.weight_decay
    )


def rate(recipe: TrainingRecipe, steps: int) -> Callable[[int], float]:
    """The share of the recipe's learning rate after t of that many steps."""
    if recipe.schedule == "inverse":
        return lambda step: (1.0 + recipe.decay * step) ** -recipe.power

    def cosine(step: int) -> float:
        rising = (step + 1) / (_WARM_UP * steps)
        return min(rising, 0.5 * (1.0 + math.cos(math.pi * step / steps)))

    return cosine


def _step(network: nn.Module, images: Tensor, labels: Tensor, descend: torch.optim.Optimizer) -> float:
    descend.zero_grad()
    loss = functional.cross_entropy(network(images.float().div_(255.0)), labels)
    loss.backward()
    descend.step()
    return loss.item()
