"""The experiments there are: what the paper claims, what each needs, where its code is.

The claims are worded after the authors' released code, others' notes on the paper, and what is remembered of it: none
was looked up in the paper itself, so all of the paper's numbers are unverified, which `UNVERIFIED` says to readers.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from fooling.errors import NotFoundError, did_you_mean

if TYPE_CHECKING:
    from fooling.reproduce.result import Result
    from fooling.reproduce.workspace import Workspace

UNVERIFIED = (
    "The paper's numbers are unverified: none was looked up in the paper itself when this was written. They come from the "
    "authors' released code, from others' notes on the paper and from memory. Check them there before citing them."
)
Needs = Literal["nothing", "mnist", "cifar10", "model"]


@dataclass(frozen=True)
class Experiment:
    """One experiment of the paper, or of its successor "Innovation Engines" (Nguyen 2015b).

    Attributes:
        name: as on the command line.
        title: for people.
        claim: what was found there.
        where: "module:function" below `fooling.reproduce.experiments`.
        needs: what has to be given: data for training, or an ImageNet classifier.
    """

    name: str
    title: str
    claim: str
    where: str
    needs: Needs = "nothing"

    def perform(self, workspace: Workspace) -> Result:
        """Do it.

        Raises:
            MissingInput: something has to be given.
            Interrupted: the user interrupted it.
            FoolingError: it failed.
        """
        module, _, function = self.where.partition(":")
        return getattr(importlib.import_module(f"fooling.reproduce.experiments.{module}"), function)(
            workspace
        )


EXPERIMENTS = (
    Experiment(
        "mnist-direct",
        "Directly encoded digits",
        "Within 200 generations LeNet is 99.99 % sure (median) of directly encoded images that look like noise, and "
        "within 50 of one for every digit (section 3.1, figure 4).",
        "digits:direct",
    ),
    Experiment(
        "mnist-cppn",
        "CPPN digits",
        "CPPN images reach 99.99 % (median) within few generations, and those of every digit within 200 (section 3.2, "
        "figure 5).",
        "digits:cppn",
    ),
    Experiment(
        "mnist-mosaic",
        "Do the patterns recur?",
        "Over 50 runs, images evolved for the same digit tend to show the same pattern (section 3.2, "
        "supplement).",
        "mosaic:perform",
    ),
    Experiment(
        "ascent",
        "Gradient ascent",
        "Climbing the gradient, without evolution, makes unrecognisable images of 99.99 % confidence; with L2 "
        "regularisation they are blurred and still mostly unrecognisable (section 3.9, figure 13).",
        "ascent:perform",
    ),
    Experiment(
        "transfer-same-architecture",
        "Transfer to a twin network",
        "Some images evolved against one network also fool another of the same architecture trained from other "
        "initial weights; some fool one alone (section 3.5, supplement A).",
        "transfer:same_architecture",
    ),
    Experiment(
        "transfer-across",
        "Transfer across architectures",
        "Of the images evolved for GoogLeNet 20.7 % have the same top-1 class for AlexNet, 17.3 % the other way "
        "(supplement A): fewer than between twins, more than chance.",
        "transfer:across",
    ),
    Experiment(
        "ensemble",
        "Against several networks at once",
        "Against the mean of three ImageNet networks 231 of 1,000 classes reach 90 %, median 65.2 % "
        "(supplement B): harder than one network, but it succeeds.",
        "ensemble:perform",
    ),
    Experiment(
        "retrain-mnist",
        "Retraining LeNet with a class of fooling images",
        "A LeNet retrained with fooling images as an eleventh class, fifteen times over, is fooled at 99.99 % each "
        "time again, and errs no more on digits (section 3.7, figure 11).",
        "retrain:mnist",
        "mnist",
    ),
    Experiment(
        "retrain-cifar10",
        "Retraining on natural images",
        "On ImageNet, retraining with a fooling class of 7 times the size of another lowers the median from 88.1 % "
        "to 11.7 % (p < 0.0001); without the imbalance it did not help (section 3.8, figure 12). Here: CIFAR-10.",
        "retrain:cifar10",
        "cifar10",
    ),
    Experiment(
        "repetition",
        "Repeated elements",
        "Removing copies of a repeated element lowers the confidence, usually a little (section 3.4, figure 10).",
        "repetition:perform",
    ),
    Experiment(
        "single-class-vs-map-elites",
        "All classes at once, or one at a time",
        "MAP-Elites finds better images than evolving each class alone, at equal evaluations (Nguyen 2015b).",
        "single:perform",
    ),
    Experiment(
        "goal-switching",
        "Goal switching",
        "About 17.9 % of new champions descend from a champion of another class (Nguyen 2015b).",
        "switching:perform",
    ),
    Experiment(
        "imagenet-direct",
        "Directly encoded images against an ImageNet network",
        "After 20,000 generations the median is 21.59 %, 45 classes reach 99 % (section 3.3, figure 6).",
        "imagenet:direct",
        "model",
    ),
    Experiment(
        "imagenet-cppn",
        "CPPN images against an ImageNet network",
        "After 5,000 generations the median is 88.11 %, above direct images (p < 0.0001); dogs and cats, classes "
        "157 to 286, are the low band (section 3.4, figure 7).",
        "imagenet:cppn",
        "model",
    ),
    Experiment(
        "related-classes",
        "Relatives look alike",
        "Images evolved in one run for related classes look alike (section 3.4, figure 9; shown, not measured).",
        "related:perform",
        "model",
    ),
)


def chosen(names: Sequence[str], model: str | None, quick: bool = False) -> list[Experiment]:
    """The experiments of these names, in the catalogue's order; none named: those on digits, at the full scale those
    on CIFAR-10 too, and those that need a model where one is given.

    Raises:
        NotFoundError: no such experiment.
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
