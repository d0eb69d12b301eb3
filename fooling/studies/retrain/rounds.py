"""The experiment: train, evolve against what was trained, add what was evolved, train anew (Nguyen 2015, sections
3.7 and 3.8).

A round is a network, runs against it, and what both are worth. The runs that measure a network are those whose
images the next one is trained on, except every tenth, which is held out. Every network is trained from scratch.
Each training and each run is a step of a `StepStore` and follows from the plan, so an experiment that was
interrupted goes on with the same command, to the same end.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fooling.classifiers.classifier import Classifier
from fooling.confidence import format_confidence
from fooling.config import Settings
from fooling.errors import FoolingError, Interrupted, InvalidError
from fooling.files import json_bytes
from fooling.runs.executors import numerics_here
from fooling.runs.handle import run as evolve
from fooling.sizes import size_of, to_text
from fooling.store.snapshot import Snapshot
from fooling.store.steps import StepStore, opened
from fooling.studies.retrain.data import FOOLING, Data
from fooling.studies.retrain.data import read as read_data
from fooling.studies.retrain.document import document
from fooling.studies.retrain.folder import DATA, FIGURE, KIND, PLAN, round_folder, running, warm_start
from fooling.studies.retrain.measures import Recognised, Round, Share, accuracies, called_fooling, unselected
from fooling.studies.retrain.plan import OF_RECIPE, Plan
from fooling.studies.retrain.sampling import FORM, EliteSampler, SampledRun
from fooling.studies.retrain.trainers import Networks, Trainer, networks_of
from fooling.training.data import shape_for

HELD_OUT = 10  # runs 0, 10, 20, ... of a round are not trained on
# Of the `[run]` settings, those that results depend on: the others may change when an experiment goes on.
_NUMERICS = ("threads", "layout", "batch", "compile", "device")
Report = Callable[[str], None]
Draw = Callable[[Sequence[Round], Sequence[str]], bytes]
Images = NDArray[np.uint8]


def retrain(
    data: Data | str | Path,
    out: str | Path,
    plan: Plan | None = None,
    *,
    trainer: Trainer | None = None,
    trainer_name: str | None = None,
    warm_start_from: str | Path | None = None,
    report: Report | None = None,
    draw: Draw | None = None,
    pages: Callable[[Snapshot], None] | None = None,
) -> list[Round]:
    """Do the experiment, or what is left of it.

    Args:
        data: the images to train on (`fooling.studies.retrain.data.Data`), or where they are.
        out: the folder of the experiment, new or begun with the same plan.
        trainer: a training of one's own, in place of the plan's architecture.
        trainer_name: what tells it from others when the experiment goes on (default: its class).
        warm_start_from: the folder of an experiment that begins alike, with the same data, networks, runs and seed:
            its first network and the runs against it are copied instead of made again.
        report: called with a line about each step.
        draw: makes the figure of the rounds so far, a PNG that the folder keeps beside the numbers.
        pages: called with a view of each run that is kept, to write pages beside it.

    Returns:
        Round 0 and, after each retraining, another.

    Raises:
        Interrupted: Ctrl-C; what is done is kept.
        NotFoundError, InvalidError: about data, plan or trainer.
        FoolingError: see its subclasses; the message is one line.
    """
    plan = plan or Plan()
    if not isinstance(data, Data):
        data = read_data(data, shape_for(plan.architecture) if trainer is None else None)
    data = data.share(plan.size)
    settings = _settings(plan, data)
    networks = networks_of(
        plan.architecture, plan.changes, data, numerics_here(settings.run), trainer, trainer_name
    )
    with opened(Path(out), PLAN, KIND, _record(plan, settings, data, networks), ("plan.rounds",)) as store:
        if warm_start_from is not None:
            warm_start(store.path, Path(warm_start_from))
        experiment = _Experiment(
            plan, settings, data, networks, store, report or (lambda _: None), draw, pages
        )
        try:
            return experiment.perform()
        except KeyboardInterrupt:  # in a training; a run says so itself
            raise Interrupted from None


def _settings(plan: Plan, data: Data) -> Settings:
    """The settings of the runs, which have to suit the images."""
    settings, size = plan.settings(), size_of(data.training.images.shape[1:3])
    if settings.search.name != "map-elites":
        raise InvalidError(f"search.name: expected map-elites for retraining, found {settings.search.name}")
    if settings.encoding.size not in (None, size):
        raise InvalidError(
            f"encoding.size: expected {to_text(size)}, as the training images have, found "
            f"{to_text(settings.encoding.size)}"
        )
    return settings


@dataclass
class _Evolved:
    """What the runs of a round gave: images that are trained on and images that are held out, an array for each run."""

    runs: list[SampledRun] = field(default_factory=list)
    trained_on: list[Images] = field(default_factory=list)
    held_out: list[Images] = field(default_factory=list)


@dataclass
class _Experiment:
    """An experiment under way.

    Attributes:
        trained_on, held_out: images of the rounds so far, an array for each run.
        seen: the bytes of all images that runs gave, so that none is taken twice.
    """

    plan: Plan
    settings: Settings
    data: Data
    networks: Networks
    store: StepStore
    report: Report
    draw: Draw | None
    pages: Callable[[Snapshot], None] | None
    trained_on: list[Images] = field(default_factory=list)
    held_out: list[Images] = field(default_factory=list)
    seen: set[bytes] = field(default_factory=set)

    def perform(self) -> list[Round]:
        rounds: list[Round] = []
        for number in range(self.plan.rounds + 1):
            rounds.append(self._round(number))
            self.store.write(DATA, json_bytes(document(rounds, self.data.labels)))
            if self.draw is not None:
                self.store.write(FIGURE, self.draw(rounds, self.data.labels))
        return rounds

    def _round(self, number: int) -> Round:
        tell = partial(self._tell, number)
        fooling = sum(map(len, self.trained_on))
        classifier = self._network(number, tell)
        evolved = self._evolved(number, classifier, tell)
        accuracy, among, alarms = accuracies(classifier, self.data.test, len(self.data.labels))
        done = Round(
            number,
            classifier.fingerprint,
            len(self.data.training) + fooling,
            fooling,
            accuracy,
            among,
            self._recognised(number, classifier, evolved.runs, alarms) if number else None,
            evolved.runs[0].elites,
            np.stack([run.confidences for run in evolved.runs]),
            sum(int(run.evaluations) for run in evolved.runs),
            sum(map(len, evolved.trained_on)),
        )
        self.trained_on += evolved.trained_on
        self.held_out += evolved.held_out
        median = format_confidence(done.median)
        tell(f"test accuracy {accuracy.value:.2%}, median confidence {median} over {len(evolved.runs)} runs")
        return done

    def _recognised(
        self, number: int, classifier: Classifier, runs: list[SampledRun], alarms: Share
    ) -> Recognised:
        called = partial(called_fooling, classifier, classes=len(self.data.labels))
        return Recognised(
            trained=called(np.concatenate(self.trained_on)),
            held_out=called(np.concatenate(self.held_out)),
            new=called(np.concatenate([run.elites for run in runs])),
            unselected=called(unselected(self.settings, classifier, self.plan.training_seed(number))),
            false_alarms=alarms,
        )

    def _network(self, number: int, tell: Report) -> Classifier:
        """The network of the round: trained, where it is not there yet."""
        place = self.store.path / round_folder(number)
        labels = self.data.labels if number == 0 else (*self.data.labels, FOOLING)
        found = self.networks.open(place, labels)
        if found is None:
            training = self.data.with_fooling(self.trained_on)
            more = len(training) - len(self.data.training)
            tell(f"training on {len(training):,} images, {more:,} of them fooling")
            self.networks.make(place, training, self.data.test, labels, self.plan.training_seed(number), tell)
            found = self.networks.open(place, labels)
            assert found is not None
        return found

    def _evolved(self, number: int, classifier: Classifier, tell: Report) -> _Evolved:
        """Runs against a network: as many as are planned, and more until they gave enough images."""
        missing = self.plan.wanted(number, self.data.mean_class)
        about = max(self.plan.runs, math.ceil(missing / self.plan.per_run * HELD_OUT / (HELD_OUT - 1)))
        evolved = _Evolved()
        while missing > 0 or len(evolved.runs) < self.plan.runs:
            run = len(evolved.runs)
            found = self._sampled(number, run, classifier, about, tell)
            evolved.runs.append(found)
            images, is_held_out = self._unseen(found.images), run % HELD_OUT == 0
            if not len(images) and (is_held_out or missing > 0):
                raise FoolingError(
                    f"round {number}, run {run}: expected new fooling images, found all {len(found.images)} in "
                    "earlier runs; ask for longer runs"
                )
            if is_held_out:
                evolved.held_out.append(images)
            elif missing > 0:
                evolved.trained_on.append(images[:missing])
                missing -= len(images)
        return evolved

    def _sampled(self, number: int, run: int, classifier: Classifier, about: int, tell: Report) -> SampledRun:
        """A run, which is a step of the store.

        Raises:
            InvalidError: what is kept of it is damaged, or of a run against another network.
        """

        def make() -> SampledRun:
            made = self._run(number, run, classifier)
            median = format_confidence(float(np.median(made.confidences)))
            tell(f"run {run + 1} of {max(about, run + 1)}, median confidence {median}")
            return made

        name = f"{round_folder(number)}/runs/{run:04d}"
        found = self.store.once(name, make, FORM)
        if str(found.network) != classifier.fingerprint:
            raise InvalidError(
                f"{self.store.file(name, FORM)}: expected a run against the network beside it "
                f"({classifier.fingerprint[:12]}), found one against {str(found.network)[:12]}; remove the round's "
                "folder and those after it, and they are done again"
            )
        return found

    def _run(self, number: int, run: int, classifier: Classifier) -> SampledRun:
        """Do a run, which is a matter of seconds: one that was interrupted begins anew."""
        classes = len(self.data.labels)
        search = self.settings.search.resolved(self.settings.encoding, classes)
        sampler = EliteSampler(classes, self.plan.per_run, search.generations)
        with running(self.store.path / round_folder(number), run) as directory:
            view = evolve(
                self.plan.config,
                out=directory,
                assignments=self.plan.assignments,
                flags={"seed": self.plan.run_seed(number, run)},
                classifier=classifier,
                report=sampler,
                pages=self.pages,
            )
            if view.status == "interrupted":
                raise Interrupted
            return sampler.sample(view)

    def _unseen(self, images: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The images that no run gave before."""
        texts = [image.tobytes() for image in images]
        rows = [row for row, text in enumerate(texts) if text not in self.seen]
        self.seen.update(texts)
        return images[rows]

    def _tell(self, number: int, line: str) -> None:
        self.report(f"round {number} of {self.plan.rounds}: {line}")


def _record(plan: Plan, settings: Settings, data: Data, networks: Networks) -> dict[str, Any]:
    """What the results of an experiment follow from."""
    resolved = settings.model_dump(mode="json")
    resolved["run"] = {key: resolved["run"][key] for key in _NUMERICS}
    del resolved["seed"], resolved["model"]
    return {
        "plan": plan.model_dump(mode="json", exclude={"config", "assignments", "architecture", *OF_RECIPE}),
        "settings": resolved,
        "networks": networks.describe(),
        "data": {
            "training": len(data.training),
            "test": len(data.test),
            "labels": list(data.labels),
            "sha256": data.digest,
        },
    }
