"""How accuracy falls under attacks on real images, alone and behind transforms: for orientation beside fooling, which
begins at no image.

Behind a transform two numbers are said: against images that were made without it, which is what is often published, and
against an attack that goes through it, which is what counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from fooling.studies.audit.attacks.curves import accuracy_curve, auac
from fooling.studies.audit.attacks.gradient import ATTACKS, attacked
from fooling.studies.audit.attacks.result import Attacks, Curve, Part
from fooling.studies.audit.checks import Check, held, not_measurable
from fooling.studies.audit.images import Labelled
from fooling.studies.audit.subject import Subject
from fooling.studies.audit.transforms.filters import TRANSFORMS, Transform

PGD = ATTACKS[-1]
# Grey digits stay digits under perturbations that no photograph would hide.
EPSILONS = {"rgb": (0, 1, 2, 4, 8), "grey": (0, 8, 16, 32, 64)}
_PURPOSE = 5  # of random numbers
_MARGIN = 0.02  # of the mean accuracy: by how much a stronger attack may do worse without a doubt about it
Radii = dict[str, NDArray[np.float64]]  # the smallest size that fooled each image, by the name of an attack


def measure(subject: Subject) -> Part:
    """Attacks on some of the real test images.

    Raises:
        Interrupted: the audit was stopped.
    """
    why = subject.access.lacks("gradients")
    if len(subject.spec.labels) == 1:
        why = "needs two classes or more: nothing can be named wrong"
    if why is not None or subject.real is None:
        why = why or "needs labelled real images (--samples)"
        return Part(checks=(not_measurable("attack.masking", why),))
    real = _chosen(subject.real.test, subject.budget.attacked)
    epsilons = EPSILONS[subject.spec.colour]
    alone = _restored(subject.once("attacks/alone", partial(_alone, subject, real, epsilons)))
    worst = np.min([alone[attack.name] for attack in ATTACKS], axis=0)
    curves = [_curve(attack.name, None, alone[attack.name], epsilons) for attack in ATTACKS]
    curves.append(_curve("worst", None, worst, epsilons))
    for transform in TRANSFORMS:
        made = partial(_through, subject, real, epsilons, transform)
        knowing = _restored(subject.once(f"attacks/{transform.name}", made))
        curves.append(_curve("pgd", transform.name, alone[transform.name], epsilons))
        curves.append(_curve("bpda-pgd", transform.name, knowing["bpda-pgd"], epsilons))
    return Part(
        attacks=Attacks(images=len(real), epsilons=epsilons, curves=tuple(curves)),
        checks=tuple(_checks(curves)),
    )


def _chosen(real: Labelled, most: int) -> Labelled:
    """Some of the images, evenly from all."""
    rows = np.unique(np.linspace(0, len(real) - 1, min(most, len(real))).astype(np.int64))
    return real.take(rows)


def _alone(subject: Subject, real: Labelled, epsilons: Sequence[int]) -> dict[str, list[float | None]]:
    """The attacks on the classifier alone; and what the last images of PGD do behind each transform."""
    radii: Radii = {name: np.full(len(real), np.inf) for name in _names()}
    for epsilon in reversed(epsilons):
        for attack in ATTACKS:
            subject.go_on()
            found = attacked(subject, attack, real, epsilon, subject.random(_PURPOSE, epsilon))
            radii[attack.name][found.fooled] = epsilon
        for transform in TRANSFORMS:  # of the last attack's, PGD's, images
            shown = subject.evaluator.evaluate(transform.apply(found.last), allow_nan=True).confidences
            radii[transform.name][_wrong(shown, real.classes)] = epsilon
    return _kept(radii)


def _through(
    subject: Subject, real: Labelled, epsilons: Sequence[int], transform: Transform
) -> dict[str, list[float | None]]:
    """PGD through a transform; images that a smaller size has fooled are not attacked any more."""
    smallest = np.full(len(real), np.inf)
    for epsilon in epsilons:
        rows = np.flatnonzero(np.isinf(smallest))
        if not len(rows):
            break
        subject.go_on()
        random = subject.random(_PURPOSE, epsilon)
        found = attacked(subject, PGD, real.take(rows), epsilon, random, transform.apply, whole=False)
        smallest[rows[found.fooled]] = epsilon
    return _kept({"bpda-pgd": smallest})


def _names() -> Iterator[str]:
    yield from (attack.name for attack in ATTACKS)
    yield from (transform.name for transform in TRANSFORMS)


def _wrong(confidences: NDArray[np.float32], classes: NDArray[np.int64]) -> NDArray[np.bool_]:
    own = confidences[np.arange(len(classes)), classes]
    wrong: NDArray[np.bool_] = ~(own >= confidences.max(axis=1))
    return wrong


def _kept(radii: Radii) -> dict[str, list[float | None]]:
    """As JSON, which knows no infinity."""
    return {
        name: [None if np.isinf(value) else float(value) for value in values]
        for name, values in radii.items()
    }


def _restored(kept: dict[str, list[float | None]]) -> Radii:
    return {
        name: np.array([np.inf if value is None else value for value in values])
        for name, values in kept.items()
    }


def _curve(
    attack: str, transform: str | None, smallest: NDArray[np.float64], epsilons: Sequence[int]
) -> Curve:
    accuracy = accuracy_curve(smallest, epsilons)
    return Curve(attack=attack, transform=transform, accuracy=tuple(accuracy), auac=auac(epsilons, accuracy))


def _checks(curves: Sequence[Curve]) -> list[Check]:
    """Signs that gradients lead astray: then none of these numbers say how robust the classifier is."""
    by = {(curve.attack, curve.transform): curve.auac for curve in curves}
    gap = by["pgd", None] - by["fgsm", None]
    checks = [
        held(
            "attack.masking",
            gap <= _MARGIN,
            gap,
            f"<= {_MARGIN}",
            f"PGD leaves a mean accuracy of {by['pgd', None]:.1%}, FGSM, which takes a single step, "
            f"{by['fgsm', None]:.1%}: were PGD's higher, gradients would lead astray (Athalye et al. 2018)",
        )
    ]
    for transform in TRANSFORMS:
        static, adaptive = by["pgd", transform.name], by["bpda-pgd", transform.name]
        id, threshold = f"attack.{transform.name}", f"<= {_MARGIN}"
        found = (
            f"a mean accuracy of {static:.1%} is left against images made without the transform, {adaptive:.1%} against "
            "an attack that knows of it"
        )
        if adaptive - static > _MARGIN:
            checks.append(not_measurable(id, f"{found}: the attack through it is broken", threshold))
        else:
            checks.append(held(id, True, adaptive - static, threshold, found))
    return checks
