"""Another network for the same classes, whose elites are sent to the service before it is searched."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fooling import classifiers
from fooling.classifiers import Classifier
from fooling.errors import FoolingError
from fooling.studies.audit import answers
from fooling.studies.audit.black_box.result import StandIn
from fooling.studies.audit.recognition.panel import specs_of
from fooling.studies.audit.searching import bare_settings, evolved
from fooling.studies.audit.shares import share_of
from fooling.studies.audit.subject import Elites, Subject

ENCODING = "cppn"
_MISSING = "needs another network with the same classes (--others), or a run against one"


@dataclass(frozen=True)
class Found:
    """Elites of a stand-in, the most confident first.

    Attributes:
        model: the network.
        elites: what was evolved against it.
    """

    model: str
    elites: Elites


def elites_of_stand_in(subject: Subject) -> Found | str:
    """Elites of another network: of a run that the user gave, else of a run against the first fitting network of the
    panel. Or why there are none.

    Raises:
        FoolingError: the run failed.
    """
    for run in subject.foreign:
        if len(run.labels) == len(subject.spec.labels):
            return Found(run.spec.model, _ordered(Elites.of(run)))
    for spec in specs_of(subject):
        if (other := _fitting(subject, spec)) is not None:
            run = evolved(subject, "stand-in", bare_settings(subject, ENCODING), classifier=other)
            return Found(spec, _ordered(Elites.of(run)))
    return _MISSING


def shown(subject: Subject, found: Found | str) -> StandIn:
    """What the classifier under audit says of the elites."""
    if isinstance(found, str):
        return StandIn(why=found)
    said = answers.named(subject, found.elites.pixels, found.elites.classes)
    random, resamples, count = subject.random(0), subject.budget.resamples, len(found.elites)
    return StandIn(
        model=found.model,
        images=count,
        first=share_of([int(said.first.sum())], [count], random, resamples),
        at_99=share_of([int(said.at_least(0.99).sum())], [count], random, resamples),
    )


def _fitting(subject: Subject, spec: str) -> Classifier | None:
    own = subject.evaluator.classifier
    try:
        other = classifiers.load(spec, numerics=own.numerics, trust=subject.resources.trust)
    except FoolingError:  # the panel, which asks all of them, says why
        return None
    fits = other.spec.colour == own.spec.colour and len(other.labels) == len(own.labels)
    if not fits or other.fingerprint == own.fingerprint:
        return None
    return other.with_input(own.spec.size)


def _ordered(elites: Elites) -> Elites:
    rows = np.argsort(-elites.confidences, kind="stable")
    return Elites(
        elites.name,
        elites.encoding,
        elites.directory,
        elites.pixels[rows],
        elites.classes[rows],
        elites.confidences[rows],
    )
