"""Evolving against classifier and detector together: the attack of somebody who knows the detector.

The search begins from nothing, as that against the bare classifier does, so that the images that both take can be
compared. Whoever attacks also has the elites of the bare classifier, which cost nothing more: a class counts as fooled
where either has an accepted image. So adaptive success can't be below static success; what the search alone reached is
told beside it, and a search that is worse than the static elites is a sign that it is broken.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fooling.store.snapshot import Snapshot
from fooling.studies.audit.detection.guarded import Guarded, accepted_confidence
from fooling.studies.audit.detection.others import FOOLS
from fooling.studies.audit.searching import evolved
from fooling.studies.audit.subject import Elites, Subject
from fooling.studies.audit.survival import Waits, joined, waits_of

_ENOUGH = 0.9905  # a little above what counts, so that rounding takes no class away


@dataclass(frozen=True)
class Attack:
    """What a search against both found.

    Attributes:
        runs: of the search.
        fooled: (K,) bool, the classes with an accepted image of a confidence that fools.
        waits: images until each class of each run had one.
    """

    runs: tuple[Snapshot, ...]
    fooled: NDArray[np.bool_]
    waits: Waits


def attack(subject: Subject, guarded: Guarded) -> Attack:
    """Search for images that the detector accepts and the network is sure of; each is asked about again.

    Raises:
        FoolingError: a run failed.
        Interrupted: the audit was stopped.
    """
    budget, target = subject.budget, guarded.as_classifier()
    settings = {
        "encoding.name": "cppn",
        "search.name": "map-elites",
        "search.population": budget.population,
        "search.generations": budget.adaptive_generations,
        "stop.confidence": accepted_confidence(_ENOUGH),
    }
    runs = tuple(
        evolved(
            subject, f"adaptive/{guarded.name}-{number}", settings, target, seed=subject.seed + 1000 + number
        )
        for number in range(budget.adaptive_runs)
    )
    classes = np.arange(len(subject.spec.labels))
    waits = [waits_of(run, accepted_confidence(FOOLS), classes, "evaluations") for run in runs]
    fooled = np.zeros(len(classes), np.bool_)
    for run in runs:
        fooled |= fooling_classes(guarded, Elites.of(run), len(classes))
    return Attack(runs, fooled, joined(waits))


def fooling_classes(guarded: Guarded, elites: Elites, count: int) -> NDArray[np.bool_]:
    """(K,) bool: the classes of which an image is accepted, and fools what answers, when it is asked about again."""
    found = np.zeros(count, np.bool_)
    if len(elites):
        answers = guarded(elites.pixels)[np.arange(len(elites)), elites.classes]
        found[elites.classes[answers >= np.float32(accepted_confidence(FOOLS))]] = True
    return found
