"""What every part of an audit gets: the classifier, the real images, the runs, and a place to keep what is done."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from fooling.classifiers.spec import Spec
from fooling.errors import Interrupted
from fooling.runs.evaluator import Evaluator
from fooling.store.snapshot import Snapshot
from fooling.store.steps import JSON, Form, StepStore
from fooling.studies.audit.access import Access
from fooling.studies.audit.budget import Budget
from fooling.studies.audit.images import Real
from fooling.studies.audit.request import Request
from fooling.studies.protocol import HERE, Resources

T = TypeVar("T")


@dataclass(frozen=True)
class Elites:
    """The elites of a run.

    Attributes:
        name: of the run.
        encoding: "cppn", "direct", or "gradient-ascent".
        directory: of the run.
        pixels: (n, H, W, C) uint8, as they were classified.
        classes: (n,) int64, the class that each is the elite of.
        confidences: (n,) float32, of the run's classifier in that class.
    """

    name: str
    encoding: str
    directory: Path
    pixels: NDArray[np.uint8]
    classes: NDArray[np.int64]
    confidences: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.classes)

    def named(self, home: Path) -> str:
        """The run directory as a report names it: relative to the audit's folder where it lies in it."""
        return relative(self.directory, home)

    @classmethod
    def of(cls, run: Snapshot) -> Elites:
        """Those of a run, by class; classes that the search is not for are left out."""
        targets = run.target_classes
        classes = targets[run.occupied[targets]].astype(np.int64)
        search = run.spec.config.search.name
        return cls(
            run.directory.name,
            search if search == "gradient-ascent" else run.spec.config.encoding.name,
            run.directory,
            run.stored_pixels[run.stored_rows[classes]],
            classes,
            run.confidence[classes],
        )


@dataclass(frozen=True)
class Subject:
    """A classifier under audit.

    Attributes:
        request: what was asked.
        evaluator: the classifier, opened; it is closed when the audit ends.
        access: what the classifier lets be seen.
        real: labelled real images; None where none were given.
        ood: (n, H, W, C) uint8, natural images of none of the classes; None where none were given.
        given: the runs that the user gave, which are of this classifier.
        foreign: the runs that the user gave, which are of another classifier with as many classes.
        budget: how much is done.
        store: what is done once and kept. A part keeps its steps under its own name: "detectors/energy".
        say: called with a line about what is being done.
        stopping: when it is set, the audit ends before its next step.
        resources: what may be computed with.
    """

    request: Request
    evaluator: Evaluator
    access: Access
    real: Real | None
    budget: Budget
    store: StepStore
    ood: NDArray[np.uint8] | None = None
    given: tuple[Snapshot, ...] = ()
    foreign: tuple[Snapshot, ...] = ()
    say: Callable[[str], None] = lambda _: None
    stopping: threading.Event = field(default_factory=threading.Event)
    resources: Resources = HERE

    @property
    def spec(self) -> Spec:
        """What is said about the classifier."""
        return self.evaluator.classifier.spec

    @property
    def seed(self) -> int:
        """Of all randomness."""
        return self.request.seed

    def random(self, *purpose: int) -> np.random.Generator:
        """Random numbers for a purpose, which nothing else draws from."""
        return np.random.Generator(np.random.Philox(np.random.SeedSequence([self.seed, *purpose])))

    def once(self, name: str, make: Callable[[], T], form: Form[T] = JSON) -> T:
        """The result of a step: kept from before, or made now.

        Raises:
            Interrupted: the audit was stopped.
        """
        if self.store.file(name, form).exists():
            return self.store.once(name, make, form)
        self.go_on()
        self.say(name)
        return self.store.once(name, make, form)

    def go_on(self) -> None:
        """
        Raises:
            Interrupted: the audit was stopped.
        """
        if self.stopping.is_set():
            raise Interrupted


def relative(directory: Path, home: Path) -> str:
    """A directory as a report names it: relative to the audit's folder where it lies in it."""
    home = home.absolute()
    return str(directory.relative_to(home)) if directory.is_relative_to(home) else str(directory)


Part = Callable[[Subject], Any]  # what a part's module has as `measure`: its part of the result
