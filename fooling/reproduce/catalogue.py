"""The experiments there are: what the paper claims, what each needs, where its code is (`experiments.toml`)."""

from __future__ import annotations

import importlib
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from fooling.errors import NotFoundError, did_you_mean

if TYPE_CHECKING:
    from fooling.reproduce.result import Result
    from fooling.reproduce.workspace import Workspace

UNVERIFIED = (
    "The paper's numbers are unverified: none was looked up in the paper itself when this was written. They come from the "
    "authors' released code, from others' notes on the paper and from memory. Check them there before citing them."
)


@dataclass(frozen=True)
class Experiment:
    """One experiment.

    Attributes:
        name: as on the command line.
        title: for people.
        claim: what the paper found.
        function: "module:function" below `fooling.reproduce.experiments`.
        needs: what has to be given: data to train on, or an ImageNet classifier.
    """

    name: str
    title: str
    claim: str
    function: str
    needs: Literal["nothing", "mnist", "cifar10", "model"] = "nothing"

    def perform(self, workspace: Workspace) -> Result:
        """Do the experiment.

        Raises:
            MissingInput: something has to be given.
            Interrupted: the user interrupted it.
            FoolingError: it failed.
        """
        module, _, function = self.function.partition(":")
        found = importlib.import_module(f"fooling.reproduce.experiments.{module}")
        return getattr(found, function)(workspace)


EXPERIMENTS = tuple(
    Experiment(**one)
    for one in tomllib.loads(Path(__file__).with_name("experiments.toml").read_text("utf-8"))["experiments"]
)


def chosen(names: Sequence[str], model: str | None, quick: bool = False) -> list[Experiment]:
    """The experiments of these names, in the catalogue's order. Where none is named, those on digits, at the full scale
    those on CIFAR-10 too, and those that need a model where one is given.

    Raises:
        NotFoundError: there is no experiment of that name.
    """
    known = {experiment.name: experiment for experiment in EXPERIMENTS}
    for name in names:
        if name not in known:
            hint = did_you_mean(name, known) or f"; there are {', '.join(known)}"
            raise NotFoundError(f"no experiment named {name}{hint}")
    if names:
        return [experiment for experiment in EXPERIMENTS if experiment.name in names]
    left_out = {need for need, out in (("model", model is None), ("cifar10", quick)) if out}
    return [experiment for experiment in EXPERIMENTS if experiment.needs not in left_out]
