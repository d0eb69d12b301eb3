"""The study that compares runs: how sure, at what cost, and of what kind of images."""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fooling.store.reading import open_run
from fooling.store.snapshot import Snapshot
from fooling.studies.compare.comparison import (
    FEW,
    PASSES,
    Comparison,
    Group,
    Pair,
    Run,
    check_run,
    compare,
    curves,
    grid,
)
from fooling.studies.compare.images import Training, read_training
from fooling.studies.compare.result import (
    ClassCurve,
    ComparedElite,
    ComparedGroup,
    ComparedRun,
    Curve,
    GroupTest,
    LeftOut,
    Request,
    Result,
    TrainingImages,
)
from fooling.studies.protocol import HERE, Report, Resources, attempt
from fooling.studies.rank_tests import RankTest

__all__ = ["Request", "Result", "study"]


def study(
    request: Request,
    *,
    report: Report | None = None,
    stopping: threading.Event | None = None,
    resources: Resources = HERE,
) -> Result:
    """Compare runs. One that can't be compared is left out, while two are left; see
    `fooling.studies.protocol.Study`."""
    runs, failed = attempt(request.runs, _comparable, least=2, report=report, stopping=stopping)
    training = read_training(request.data, runs[0].stored_pixels.shape[1:]) if request.data else None
    comparison = compare(runs, training)
    return found(comparison, [LeftOut(what=str(path), reason=str(error)) for path, error in failed])


def _comparable(path: Path) -> Snapshot:
    run = open_run(path)
    check_run(run)
    return run


def found(comparison: Comparison, failures: Sequence[LeftOut] = ()) -> Result:
    """A comparison as a result."""
    result = Result(
        classes=comparison.labels,
        passes=PASSES,
        common_passes=comparison.common,
        training=None if comparison.training is None else _training(comparison.training),
        groups=tuple(_group(comparison, number, group) for number, group in enumerate(comparison.groups)),
        runs=tuple(_run(comparison, run) for run in comparison.runs),
        tests=tuple(test for pair in comparison.pairs for test in _tests(comparison, pair)),
        failures=tuple(failures),
    )
    object.__setattr__(result, "comparison", comparison)
    return result


def _training(training: Training) -> TrainingImages:
    return TrainingImages(
        folder=str(training.folder),
        images=len(training.pixels),
        usual_distance=training.usual,
        near_distance=None if math.isnan(training.near) else training.near,
    )


def _group(comparison: Comparison, number: int, group: Group) -> ComparedGroup:
    runs = comparison.of(number)
    medians = np.nanmedian(comparison.at_common(number), axis=1)
    return ComparedGroup(
        name=group.name,
        runs=tuple(run.name for run in runs),
        seeds=tuple(run.view.spec.seed for run in runs),
        median_at_common_passes=float(np.median(medians)),
    )


def _run(comparison: Comparison, run: Run) -> ComparedRun:
    view = run.view
    return ComparedRun(
        run=str(view.directory),
        name=run.name,
        group=comparison.groups[run.group].name,
        seed=view.spec.seed,
        model=view.spec.model,
        status=view.status,
        evaluations=view.evaluations,
        passes=run.trajectory.passes,
        seconds=run.trajectory.seconds,
        confidence=view.statistics,
        median_at_common_passes=float(np.nanmedian(run.confidence_at(comparison.common))),
        near_training=None if comparison.training is None else len(run.near(comparison.training)),
        images={key: float(np.nanmedian(values)) for key, values in run.statistics.items()},
        elites=tuple(_elite(comparison, run, number) for number in np.flatnonzero(view.occupied).tolist()),
        curves=tuple(
            Curve(
                **{
                    name: tuple(column.tolist())
                    for name, column in curves(run, cost, grid([run], cost)).items()
                }
            )
            for cost in ("passes", "seconds")
        ),
        classes=_classes(run) if len(comparison.labels) <= FEW else None,
    )


def _elite(comparison: Comparison, run: Run, number: int) -> ComparedElite:
    measured: dict[str, Any] = {key: float(values[number]) for key, values in run.statistics.items()}
    if run.nearest is not None and comparison.training is not None:
        row = int(run.nearest[number])
        measured |= {
            "nearest": row,
            "nearest_label": int(comparison.training.labels[row]),
            "near_training": number in run.near(comparison.training),
        }
    return ComparedElite(
        number=number,
        label=comparison.labels[number],
        confidence=float(run.confidence[number]),
        passes=float(run.passes[number]),
        **measured,
    )


def _classes(run: Run) -> tuple[ClassCurve, ...]:
    return tuple(
        ClassCurve(
            number=number,
            passes=tuple(steps.passes.tolist()),
            seconds=tuple(steps.seconds.tolist()),
            confidence=tuple(steps.confidence.tolist()),
        )
        for number, steps in sorted(run.trajectory.classes.items())
    )


def _tests(comparison: Comparison, pair: Pair) -> list[GroupTest]:
    names = tuple(comparison.groups[number].name for number in pair.groups)
    named = ((pair.runs, "median confidence of each run"), (pair.classes, "confidence of each class"))
    return [_test(test, names, of) for test, of in named if test is not None]


def _test(test: RankTest, names: tuple[str, ...], of: str) -> GroupTest:
    return GroupTest(
        groups=names,
        of=of,
        test=test.test,
        n=test.n,
        statistic=test.statistic,
        p=test.p,
        first_is_higher=test.better,
    )
