"""What other networks say of images that were made for the audited one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fooling.classifiers.spec import Spec
from fooling.errors import FoolingError, Interrupted, first_line
from fooling.model_specs import known
from fooling.runs.evaluator import Evaluator, in_channels, open_evaluator
from fooling.sizes import size_of
from fooling.studies.audit.recognition.likeness import Array
from fooling.studies.audit.subject import Subject
from fooling.studies.transfer.labels import NONE, matched


@dataclass(frozen=True)
class Panelist:
    """Another network, and what it says of n images.

    Attributes:
        spec: its SPEC.
        confidence: (n,) float32, in the class that each image is for; NaN where it has no such class.
        first: (n,) bool, whether that is its first answer.
        features: (n, F) float32 of its penultimate layer; None where it has none, or they were not asked for.
    """

    spec: str
    confidence: Array
    first: NDArray[np.bool_]
    features: Array | None = None


def specs_of(subject: Subject) -> tuple[str, ...]:
    """The other networks: those that the user named; for a network that comes with the package, the others that do."""
    mine = subject.request.model
    named = subject.request.others or (known() if mine in known() else ())
    return tuple(spec for spec in named if spec != mine)


def asked(
    subject: Subject, specs: Sequence[str], pixels: NDArray[np.uint8], classes: NDArray[np.int64]
) -> tuple[list[Panelist], list[str]]:
    """What the other networks say. The features are given of the first that has some.

    Args:
        pixels: (n, H, W, C) uint8, in the audited classifier's image space.
        classes: (n,) int64, its class that each image is for.

    Returns:
        The networks that could be asked, and a line for each that could not.

    Raises:
        Interrupted: the audit was stopped.
    """
    found: list[Panelist] = []
    failed: list[str] = []
    for spec in specs:
        subject.go_on()
        subject.say(f"asking {spec}")
        try:
            with open_evaluator(
                spec,
                size=size_of(pixels.shape[1:3]),
                trust=subject.resources.trust,
                stopping=subject.stopping,
            ) as evaluator:
                wants = not any(one.features is not None for one in found)
                found.append(_panelist(spec, evaluator, subject.spec, pixels, classes, wants))
        except Interrupted:
            raise
        except FoolingError as error:
            failed.append(f"{spec}: {first_line(error)}")
    return found, failed


def _panelist(
    spec: str,
    evaluator: Evaluator,
    home: Spec,
    pixels: NDArray[np.uint8],
    classes: NDArray[np.int64],
    wants_features: bool,
) -> Panelist:
    classifier = evaluator.classifier
    layer = _layer(evaluator) if wants_features else None
    table = matched(home.labels, classifier.labels, home.wordnet, classifier.spec.wordnet)
    theirs = table[classes]
    shown = in_channels(pixels, classifier.spec.channels)
    evaluation = evaluator.evaluate(shown, features=layer, allow_nan=True)
    rows, has = np.arange(len(classes)), theirs != NONE
    confidence = np.where(has, evaluation.confidences[rows, theirs], np.float32(np.nan))
    first = has & (np.nan_to_num(evaluation.confidences).argmax(axis=1) == theirs)
    return Panelist(spec, confidence, first, evaluation.features)


def _layer(evaluator: Evaluator) -> str | None:
    try:
        return evaluator.classifier.penultimate
    except FoolingError:
        return None
