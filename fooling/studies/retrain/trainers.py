"""How the network of a round is made and found again: by a recipe of `fooling train`, or by a user's own code.

Each network lies in a folder as safetensors; what is trained is opened from there, so that an experiment which
was interrupted goes on with the same bits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import safetensors.torch
import torch
from torch import nn

from fooling.classifiers import architectures, load, weights_files
from fooling.classifiers.check import check
from fooling.classifiers.classifier import Classifier
from fooling.classifiers.numerics import Numerics
from fooling.classifiers.sources.python import build
from fooling.classifiers.spec import Spec
from fooling.datasets.samples import Samples
from fooling.errors import FoolingError, InvalidError, first_line
from fooling.sizes import Size, channels_of, size_of, to_text
from fooling.store.steps import StepStore
from fooling.studies.retrain.data import Data
from fooling.training.recipe import TrainingRecipe, recipe_for
from fooling.training.saving import save
from fooling.training.train import Progress, fit

NAME = "network"
WEIGHTS, DESCRIPTION = f"{NAME}.safetensors", f"{NAME}.json"
Tell = Callable[[str], None]


class Trainer(Protocol):
    """A user's own training, in two steps, so that a trained network can be opened again later."""

    def network(self, labels: tuple[str, ...]) -> tuple[nn.Module, Spec]:
        """A network with an output per label, untrained, and what is said about it, these labels included."""
        ...

    def train(self, network: nn.Module, training: Samples, seed: int) -> None:
        """Train that network, in place. torch's own randomness is seeded before; all other should come from the
        seed.

        Args:
            training: images (n, height, width, channels) uint8 and labels, indices of the network's outputs.
        """
        ...


@dataclass(frozen=True)
class ByRecipe:
    """Networks of an architecture of the package, trained and kept as `fooling train` does."""

    recipe: Callable[[int], TrainingRecipe]
    numerics: Numerics

    def describe(self) -> dict[str, Any]:
        """What tells this training from another, as JSON-like data."""
        return {"recipe": asdict(self.recipe(0))}

    def make(
        self, folder: Path, training: Samples, test: Samples, labels: tuple[str, ...], seed: int, tell: Tell
    ) -> None:
        """Train a network and keep it in a folder, whole or not at all.

        Args:
            tell: called with a line about each step.
        """

        def progress(step: Progress) -> None:
            tell(f"epoch {step.epoch} of {step.epochs}, test accuracy {step.accuracy:.2%}")

        trained = fit(training, test, self.recipe(seed), NAME, labels, self.numerics, progress)
        (folder / WEIGHTS).unlink(missing_ok=True)  # of a training that was killed before its description
        save(trained, folder)

    def open(self, folder: Path, labels: tuple[str, ...]) -> Classifier | None:
        """The network in a folder; None where none was kept yet."""
        path = folder / DESCRIPTION
        return load(f"file:{path}", numerics=self.numerics) if path.is_file() else None


@dataclass(frozen=True)
class ByTrainer:
    """Networks that a user's own training makes; its methods are those of `ByRecipe`.

    Attributes:
        name: of the trainer, for the plan's record.
        size, channels: of the images.
    """

    trainer: Trainer
    name: str
    numerics: Numerics
    size: Size
    channels: int

    def describe(self) -> dict[str, Any]:
        return {"trainer": self.name}

    def make(
        self, folder: Path, training: Samples, test: Samples, labels: tuple[str, ...], seed: int, tell: Tell
    ) -> None:
        tell(f"training by {self.name}")
        with torch.random.fork_rng(), self.numerics.applied(), torch.enable_grad():
            torch.manual_seed(seed)  # most code draws initial weights, if not all, from the global generator
            network, _ = self._network(labels)
            self._call("train", network, training, seed)
        state = {name: value.detach().cpu().contiguous() for name, value in network.state_dict().items()}
        StepStore(folder).write(WEIGHTS, safetensors.torch.save(state))

    def open(self, folder: Path, labels: tuple[str, ...]) -> Classifier | None:
        path = folder / WEIGHTS
        if not path.is_file():
            return None
        with torch.random.fork_rng():
            network, spec = self._network(labels)
        weights_files.fit(network, weights_files.read(path), str(path))
        classifier = Classifier(network, spec, self.numerics)
        check(classifier).raise_for_failures()
        return classifier

    def _network(self, labels: tuple[str, ...]) -> tuple[nn.Module, Spec]:
        match self._call("network", labels):
            case (nn.Module() as network, Spec() as spec):
                pass
            case made:
                raise InvalidError(
                    f"{self.name}: expected network(labels) to return (module, fooling.classifiers.Spec(...)), "
                    f"found {type(made).__name__}"
                )
        if (spec.size, spec.channels, spec.labels) != (self.size, self.channels, labels):
            raise InvalidError(
                f"{self.name}: expected a spec of size {to_text(self.size)} with {self.channels} channel(s) and the "
                f"{len(labels)} labels that it was given, found size {to_text(spec.size)}, {spec.channels} channel(s) "
                f"and {len(spec.labels)} labels"
            )
        return network, spec

    def _call(self, method: str, *arguments: Any) -> Any:
        """What a method of the user's code returns; its failures are told in one line."""
        try:
            return getattr(self.trainer, method)(*arguments)
        except FoolingError:
            raise
        except Exception as error:
            kind = type(error).__name__
            raise FoolingError(f"{self.name}: {method} failed: {kind}: {first_line(error)}") from error


Networks = ByRecipe | ByTrainer


def open_trainer(reference: str, trust: bool) -> Trainer:
    """The trainer that "module:callable", called without arguments, makes; it runs its author's code.

    Raises:
        InvalidError: no trust, or what it makes is no trainer.
        NotFoundError: no such module or callable.
    """
    return build(reference, Path.cwd(), trust)


def networks_of(
    architecture: str,
    changes: Mapping[str, Any],
    data: Data,
    numerics: Numerics,
    trainer: Trainer | None = None,
    name: str | None = None,
) -> Networks:
    """Networks by the user's trainer where there is one, else by the architecture's recipe.

    Args:
        changes: what is changed in the recipe of the architecture.
        name: what to call the trainer (default: its class).

    Raises:
        InvalidError: it is no trainer, or the architecture sees other images.
    """
    *sides, channels = data.training.images.shape[1:]
    size = size_of(sides)
    if trainer is not None:
        name = name or type(trainer).__qualname__
        if not all(callable(getattr(trainer, method, None)) for method in ("network", "train")):
            raise InvalidError(
                f"{name}: expected a trainer, with methods network(labels) and train(network, training, seed)"
            )
        return ByTrainer(trainer, name, numerics, size, channels)
    seen = architectures.find(architecture)
    if (seen.size, channels_of(seen.colour)) != (size, channels):
        raise InvalidError(
            f"expected images of {to_text(seen.size)} pixels, {seen.colour}, for {architecture}, found "
            f"{to_text(size)} with {channels} channel(s); choose another --architecture"
        )
    return ByRecipe(lambda seed: recipe_for(architecture, seed=seed, **changes), numerics)
