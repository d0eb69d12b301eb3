"""What a retraining experiment is asked to do, and the seeds that follow from it.

The defaults are the paper's numbers for MNIST (Nguyen 2015, section 3.7: 6,000 images first, then 1,000 a
round), but for fewer rounds and fewer runs with more images of each: the paper's 300 runs of 20 images and
15 rounds are `per_run=20, rounds=15`.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from pydantic import Field, field_validator

from fooling.config import Settings, resolve
from fooling.ready_made import DEFAULT_CONFIG
from fooling.training.recipe import Augmentation, Schedule
from fooling.validation import Strict

_CLASSES = re.compile(r"(\d+(?:\.\d+)?)x")
# The model of a plan's settings: every round brings its own network.
_MODEL = {"model": "object:the network of the round"}
OF_RECIPE = ("epochs", "schedule", "augmentation")  # fields that change the architecture's recipe


class Plan(Strict):
    """An experiment. An amount is a number of images, or a text like "7x": so many times the mean class."""

    rounds: int = Field(5, ge=1, description="retrainings; the first network is round 0")
    first: int | str = Field(6000, description="fooling images of the first retraining: an amount")
    more: int | str = Field(1000, description="fooling images that each later retraining adds: an amount")
    per_run: int = Field(100, ge=1, description="images that a run gives at most")
    runs: int = Field(10, ge=1, description="runs against each network at least, for its confidence")
    size: float = Field(
        1.0, gt=0, le=1, description="share of the training images, and of amounts in images, that is used"
    )
    seed: int = Field(0, ge=0, lt=2**32, description="the seed of all randomness")
    architecture: str = Field("lenet", description="the network that is trained")
    epochs: int | None = Field(None, ge=1, description="of each training (default: the architecture's own)")
    schedule: Schedule | None = Field(
        None,
        description="of the learning rate, as in `fooling.training.recipe` (default: the architecture's own)",
    )
    augmentation: Augmentation | None = Field(
        None,
        description="of the training images, as in `fooling.training.recipe` (default: the architecture's own)",
    )
    config: str = Field(DEFAULT_CONFIG, description="the runs: a ready-made config, or the path of one")
    assignments: tuple[str, ...] = Field((), description='settings of the runs, like "search.generations=60"')

    @field_validator("first", "more")
    @classmethod
    def _amount(cls, value: int | str) -> int | str:
        fits = float(value[:-1]) > 0 if isinstance(value, str) and _CLASSES.fullmatch(value) else False
        if not fits and not (isinstance(value, int) and value > 0):
            raise ValueError(f"expected a number of images, or times a class like 7x, found {value!r}")
        return value

    def wanted(self, number: int, mean_class: float) -> int:
        """Images that are kept of the runs of a round, for the training of the next.

        Args:
            number: of the round; the images of the last are not trained on, so there it is 0.
            mean_class: training images of a class, in the mean.
        """
        if number >= self.rounds:
            return 0
        amount = self.first if number == 0 else self.more
        images = float(amount[:-1]) * mean_class if isinstance(amount, str) else amount * self.size
        return max(1, round(images))

    def settings(self) -> Settings:
        """The settings of the runs.

        Raises:
            FoolingError: no such config, or wrong settings.
        """
        return resolve(self.config, self.assignments, _MODEL)

    @property
    def changes(self) -> dict[str, Any]:
        """What is changed in the architecture's recipe."""
        return {name: value for name in OF_RECIPE if (value := getattr(self, name)) is not None}

    def training_seed(self, number: int) -> int:
        """The seed of the training of a round's network."""
        return _derived(self.seed, number, 0)

    def run_seed(self, number: int, run: int) -> int:
        """The seed of a run against the network of a round."""
        return _derived(self.seed, number, 1 + run)


def _derived(*numbers: int) -> int:
    """A 32-bit seed from numbers: numpy's SeedSequence, whose answers do not change between versions."""
    return int(np.random.SeedSequence(numbers).generate_state(1)[0])
