"""What transforms in front of the classifier do to elites, to real images, and to a search that knows of them.

That elites of the bare classifier fail behind a transform says little: they were not made for it (Athalye, Carlini &
Wagner 2018). What counts is for how many images it holds once the search sees through it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from fooling.errors import OutOfAnswers
from fooling.studies.audit.answers import named
from fooling.studies.audit.checks import Check, held, not_measurable
from fooling.studies.audit.images import Labelled
from fooling.studies.audit.searching import bare_settings, elites_of, evolved, runs_of
from fooling.studies.audit.shares import Share, share_of
from fooling.studies.audit.subject import Elites, Subject
from fooling.studies.audit.survival import joined, waits_of
from fooling.studies.audit.transforms.filters import TRANSFORMS, Transform
from fooling.studies.audit.transforms.result import Cost, Evolved, Filter, Part, Survival
from fooling.studies.audit.transforms.through import through

ENCODING = "cppn"  # of the search through a transform: the one that needs fewest images
LEVEL = 0.99
TOLERATED = 0.1  # of classes, or of images: more, and a transform does not hold
_PURPOSE = 4  # of random numbers


def measure(subject: Subject) -> Part:
    """Each transform.

    Raises:
        FoolingError: a run failed.
        Interrupted: the audit was stopped.
    """
    elites = elites_of(subject)
    found = [_kept(subject, each, elites) for each in TRANSFORMS]
    return Part(transforms=tuple(found), checks=tuple(check for row in found for check in _checks(row)))


def _kept(subject: Subject, transform: Transform, elites: Sequence[Elites]) -> Filter:
    """The row of a transform: kept from before, or made now; without numbers where a remote classifier's budget ends."""
    try:
        row = subject.once(f"transforms/{transform.name}", partial(_row, subject, transform, elites))
    except OutOfAnswers as error:
        what = {"name": transform.name, "text": transform.text, "parameters": transform.parameters}
        row = {**what, "why": str(error)}
    return Filter.model_validate(row, strict=False)


def _row(subject: Subject, transform: Transform, elites: Sequence[Elites]) -> dict[str, object]:
    real = subject.real
    why = [] if real is not None else ["the cost needs labelled real images (--samples)"]
    if len(subject.spec.labels) == 1:
        real, why = None, ["the cost needs two classes or more"]
    lacking = subject.access.lacks("many images")
    if lacking is not None:
        why.append(f"the search through it {lacking}")
    row = Filter(
        name=transform.name,
        text=transform.text,
        parameters=transform.parameters,
        survival=tuple(_survivals(subject, transform, elites)),
        cost=None if real is None else _cost(subject, transform, real.test),
        evolved=_evolved(subject, transform) if lacking is None else None,
        why="; ".join(why) or None,
    )
    return row.document()


def _survivals(subject: Subject, transform: Transform, elites: Sequence[Elites]) -> list[Survival]:
    return [
        _survival(subject, transform, encoding, [run for run in elites if run.encoding == encoding])
        for encoding in dict.fromkeys(run.encoding for run in elites)
    ]


def _survival(subject: Subject, transform: Transform, encoding: str, runs: Sequence[Elites]) -> Survival:
    counts: list[int] = []
    kept: dict[float, list[int]] = {0.5: [], LEVEL: []}
    shifts: list[NDArray[np.float32]] = []
    for run in runs:
        before, after = (
            named(subject, pixels, run.classes) for pixels in (run.pixels, transform.apply(run.pixels))
        )
        fooling = before.at_least(LEVEL)
        counts.append(int(fooling.sum()))
        for level, hits in kept.items():
            hits.append(int((fooling & after.at_least(level)).sum()))
        shifts.append((after.confidence - before.confidence)[fooling])
    all_shifts = np.concatenate(shifts) if shifts else np.zeros(0, np.float32)
    return Survival(
        encoding=encoding,
        kept_50=_share(subject, kept[0.5], counts),
        kept_99=_share(subject, kept[LEVEL], counts),
        shift=float(np.nanmean(all_shifts)) if len(all_shifts) else None,
    )


def _cost(subject: Subject, transform: Transform, real: Labelled) -> Cost:
    before = named(subject, real.pixels, real.classes)
    after = named(subject, transform.apply(real.pixels), real.classes)

    def rejected(level: float) -> Share:
        accepted = before.at_least(level)
        return _share(subject, [int((accepted & ~after.at_least(level)).sum())], [int(accepted.sum())])

    return Cost(
        accuracy=_share(subject, [int(after.first.sum())], [len(real)]),
        bare=float(before.first.mean()),
        rejected_50=rejected(0.5),
        rejected_99=rejected(LEVEL),
    )


def _evolved(subject: Subject, transform: Transform) -> Evolved:
    budget = subject.budget
    settings = {**bare_settings(subject, ENCODING), "search.generations": budget.adaptive_generations}
    classifier = through(subject.evaluator.classifier, transform)
    runs = [
        evolved(
            subject,
            f"transforms/{transform.name}-{number}",
            settings,
            classifier=classifier,
            seed=subject.seed + number,
        )
        for number in range(budget.adaptive_runs)
    ]
    classes = runs[0].target_classes
    waits = [waits_of(run, LEVEL, classes, "evaluations") for run in runs]
    together = joined(waits)
    bare = joined([waits_of(run, LEVEL, classes, "evaluations") for run in runs_of(subject, ENCODING)])
    return Evolved(
        encoding=ENCODING,
        runs=len(runs),
        budget=max(run.evaluations for run in runs),
        success=_share(subject, [int(one.happened.sum()) for one in waits], [len(one) for one in waits]),
        median=float(np.median(np.concatenate([np.nan_to_num(run.confidence[classes]) for run in runs]))),
        images_50=together.until(0.5),
        images_90=together.until(0.9),
        bare_50=bare.until(0.5),
        bare_90=bare.until(0.9),
    )


def _share(subject: Subject, hits: Sequence[int], counts: Sequence[int]) -> Share:
    return share_of(hits, counts, subject.random(_PURPOSE), subject.budget.resamples)


def _checks(row: Filter) -> list[Check]:
    """Whether elites are stopped, and whether they still are when the search knows of the transform."""
    static, id = row.survival, f"transform.{row.name}"
    counted = [one for one in static if one.kept_99.value is not None]
    threshold = f"< {TOLERATED}"
    if counted:
        worst = max(counted, key=lambda one: one.kept_99.value or 0.0)
        share = worst.kept_99
        assert share.value is not None
        first = held(
            f"{id}.survival",
            share.value < TOLERATED,
            share.value,
            threshold,
            f"{share.value:.0%} of {share.count} images of the encoding {worst.encoding} that have {LEVEL} without it "
            "have it through the transform, which they were not made for",
            share.ci95,
        )
    else:
        missing = f"no elite of the bare classifier has {LEVEL}" if static or row.why is None else row.why
        first = not_measurable(f"{id}.survival", missing, threshold)
    if row.evolved is None:
        return [first, not_measurable(f"{id}.adaptive_success", row.why or "", threshold)]
    return [first, _adaptive(id, row.evolved, threshold)]


def _adaptive(id: str, found: Evolved, threshold: str) -> Check:
    success = found.success
    assert success.value is not None
    until = (
        "half of them are not"
        if found.images_50 is None
        else f"half of them after {found.images_50:,.0f} images"
    )
    return held(
        f"{id}.adaptive_success",
        success.value < TOLERATED,
        success.value,
        threshold,
        f"a search through the transform finds images of {LEVEL} for {success.value:.0%} of the classes within "
        f"{found.budget:,} images; {until}",
        success.ci95,
    )
