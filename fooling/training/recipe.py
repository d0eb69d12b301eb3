"""How a small classifier is trained: a recipe for each architecture.

LeNet's is Caffe's, the one behind the paper's MNIST network (Jia 2014, `lenet_solver.prototxt`; Nguyen 2015):
stochastic gradient descent with momentum 0.9, weight decay 5e-4 and the rate 0.01 (1 + 1e-4 t)^-0.75 after t
steps of 64 images; ten epochs are about its 10,000 steps. Input x / 255, no augmentation, no mean.

The others' rate rises for a tenth of the steps and then follows half a cosine to zero (Loshchilov 2017,
without restarts).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

from fooling.classifiers import architectures
from fooling.errors import InvalidError

Optimiser = Literal["sgd", "adamw"]
Schedule = Literal["inverse", "cosine"]
Augmentation = Literal["none", "shift", "crop-flip"]


@dataclass(frozen=True)
class TrainingRecipe:
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
    "lenet": TrainingRecipe(),
    "mlp": TrainingRecipe("mlp", epochs=20, learning_rate=0.1, schedule="cosine"),
    "resnet-mini": TrainingRecipe("resnet-mini", epochs=5, learning_rate=0.1, schedule="cosine"),
    "vit-mini": TrainingRecipe(
        "vit-mini",
        epochs=12,
        optimiser="adamw",
        learning_rate=0.002,
        weight_decay=0.03,
        schedule="cosine",
    ),
    "resnet-cifar": TrainingRecipe(
        "resnet-cifar",
        epochs=24,
        learning_rate=0.1,
        schedule="cosine",
        augmentation="crop-flip",
    ),
}


def recipe_for(architecture: str, **changes: Any) -> TrainingRecipe:
    """The recipe that an architecture is trained by, with changes: `recipe_for("mlp", seed=3)`.

    Raises:
        InvalidError: no such architecture.
    """
    architectures.find(architecture)
    return replace(RECIPES[architecture], **changes)
