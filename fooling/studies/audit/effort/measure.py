"""How many images, and seconds, until classes have an elite of a given confidence: by encoding and by gradient ascent.

"Effort" is counted as in accuracy-perturbation curves (Sircelj & Skocaj 2020): a step function of what was spent, with
classes that were not reached censored at the budget.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fooling.store.snapshot import Snapshot
from fooling.studies.audit.checks import Check, held, not_measurable
from fooling.studies.audit.effort.result import Effort, Fooled, Method, Part
from fooling.studies.audit.searching import ENCODINGS, evolved, named, runs_of
from fooling.studies.audit.subject import Subject
from fooling.studies.audit.survival import Waits, joined, over_runs, waits_of
from fooling.studies.intervals import wilson
from fooling.studies.protocol import Interval

LEVELS = (0.99, 0.9999)
ASCENT = "gradient-ascent"
CLIMBS = 2  # runs of it at most: they differ by the noise of their start alone
_PURPOSE = 1  # of random numbers
TOLERATED = 0.1  # share of classes: a classifier passes where fewer have an elite of 0.99 within the budget


def measure(subject: Subject) -> Part:
    """The effort to fool the bare classifier.

    Raises:
        FoolingError: a run failed.
        Interrupted: the audit was stopped.
    """
    methods, efforts, checks = [], [], []
    for name in (*ENCODINGS, ASCENT):
        why = subject.access.lacks("gradients") if name == ASCENT else None
        runs = [] if why is not None else _runs(subject, name)
        if not runs:
            why = why or subject.access.lacks("many images")
        methods.append(Method(name=name, runs=tuple(named(subject, run) for run in runs), why=why))
        if why is not None:
            checks.append(not_measurable(f"effort.{name}", why, f"< {TOLERATED}"))
            continue
        found = [effort for level in LEVELS for effort in _efforts(subject, name, level, runs)]
        efforts += found
        checks.append(_check(found[0]))
    return Part(fooled=Fooled(methods=tuple(methods), efforts=tuple(efforts)), checks=tuple(checks))


def _runs(subject: Subject, name: str) -> list[Snapshot]:
    if name != ASCENT:
        return runs_of(subject, name)
    given = [run for run in subject.given if run.spec.config.search.name == ASCENT]
    count, budget = len(subject.spec.labels), subject.budget
    settings: dict[str, Any] = {
        "encoding.name": "direct",
        "search.name": ASCENT,
        "search.steps": budget.climbs,
        "search.objective": "log-probability",
    }
    if count > budget.climbed:
        settings["search.classes"] = [number * count // budget.climbed for number in range(budget.climbed)]
    return given or [
        evolved(subject, f"{ASCENT}-{number}", settings, seed=subject.seed + number)
        for number in range(min(CLIMBS, budget.runs))
    ]


def _efforts(subject: Subject, name: str, level: float, runs: Sequence[Snapshot]) -> list[Effort]:
    """The effort for all classes, and for each group of them."""
    classes = runs[0].target_classes
    groups: list[tuple[str | None, NDArray[np.int64]]] = [(None, classes)]
    for group, members in subject.spec.groups.items():
        inside = np.intersect1d(classes, np.array(members, np.int64))
        if len(inside):
            groups.append((group, inside))
    return [_effort(subject, name, level, group, inside, runs) for group, inside in groups]


def _effort(
    subject: Subject,
    name: str,
    level: float,
    group: str | None,
    classes: NDArray[np.int64],
    runs: Sequence[Snapshot],
) -> Effort:
    images = [waits_of(run, level, classes, "evaluations") for run in runs]
    together, clock = joined(images), joined([waits_of(run, level, classes, "seconds") for run in runs])

    def interval(statistic: Callable[[Waits], float | None]) -> Interval | None:
        return over_runs(images, statistic, subject.random(_PURPOSE), subject.budget.resamples)

    reached, count = int(together.happened.sum()), len(together)
    times, shares = together.curve()
    return Effort(
        method=name,
        level=level,
        group=group,
        classes=len(classes),
        runs=len(runs),
        budget=max(run.evaluations for run in runs),
        share=reached / count,
        share_ci95=interval(lambda waits: float(waits.happened.mean())) or wilson(reached, count),
        images_50=together.until(0.5),
        images_50_ci95=interval(lambda waits: waits.until(0.5)),
        images_90=together.until(0.9),
        images_90_ci95=interval(lambda waits: waits.until(0.9)),
        seconds_50=clock.until(0.5),
        seconds_90=clock.until(0.9),
        curve=tuple((float(time), float(share)) for time, share in zip(times, shares, strict=True)),
    )


def _check(effort: Effort) -> Check:
    """Whether few classes can be fooled by a method within its budget."""
    value = effort.share
    why = (
        f"{value:.0%} of {effort.classes} classes have an image of confidence {effort.level} within "
        f"{effort.budget:,} images ({effort.runs} runs)"
    )
    id = f"effort.{effort.method}"
    return held(id, value < TOLERATED, value, f"< {TOLERATED}", why, effort.share_ci95)
