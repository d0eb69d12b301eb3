"""The study that compares runs: how sure, at what cost, and of what kind of images."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fooling.store.reading import open_run
from fooling.store.snapshot import Snapshot
from fooling.studies.compare import comparison as arrays
from fooling.studies.compare import result as data
from fooling.studies.compare.comparison import Comparison, Pair, Run
from fooling.studies.compare.images import read_training
from fooling.studies.compare.result import Request, Result
from fooling.studies.protocol import HERE, Report, Resources, attempt

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
    failures = [data.LeftOut(what=str(path), reason=str(error)) for path, error in failed]
    return found(arrays.compare(runs, training), failures)


def _comparable(path: Path) -> Snapshot:
    run = open_run(path)
    arrays.check_run(run)
    return run


def found(comparison: Comparison, failures: Sequence[data.LeftOut] = ()) -> Result:
    """A comparison as a result."""
    result = Result(
        classes=comparison.labels,
        passes=arrays.PASSES,
        common_passes=comparison.common,
        training=_training(comparison),
        groups=tuple(_group(comparison, number) for number in range(len(comparison.groups))),
        runs=tuple(_run(comparison, run) for run in comparison.runs),
        tests=tuple(test for pair in comparison.pairs for test in _tests(comparison, pair)),
        failures=tuple(failures),
    )
    object.__setattr__(result, "comparison", comparison)
    return result


def _training(comparison: Comparison) -> data.TrainingImages | None:
    if (training := comparison.training) is None:
        return None
    near = None if math.isnan(training.near) else training.near
    return data.TrainingImages(
        folder=str(training.folder),
        images=len(training.pixels),
        usual_distance=training.usual,
        near_distance=near,
    )


def _group(comparison: Comparison, number: int) -> data.ComparedGroup:
    runs = comparison.of(number)
    return data.ComparedGroup(
        name=comparison.groups[number].name,
        runs=tuple(run.name for run in runs),
        seeds=tuple(run.view.spec.seed for run in runs),
        median_at_common_passes=float(np.median(np.nanmedian(comparison.at_common(number), axis=1))),
    )


def _run(comparison: Comparison, run: Run) -> data.ComparedRun:
    view, training = run.view, comparison.training
    few = len(comparison.labels) <= arrays.FEW
    return data.ComparedRun(
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
        near_training=None if training is None else len(run.near(training)),
        images={key: float(np.nanmedian(values)) for key, values in run.statistics.items()},
        elites=tuple(_elite(comparison, run, number) for number in np.flatnonzero(view.occupied).tolist()),
        curves=tuple(
            data.Curve(**_columns(arrays.curves(run, cost, arrays.grid([run], cost))))
            for cost in ("passes", "seconds")
        ),
        classes=tuple(
            data.ClassCurve(number=number, **_columns(vars(steps)))
            for number, steps in sorted(run.trajectory.classes.items())
        )
        if few
        else None,
    )


def _columns(columns: Mapping[str, NDArray[np.float64]]) -> dict[str, Any]:
    return {name: tuple(column.tolist()) for name, column in columns.items()}


def _elite(comparison: Comparison, run: Run, number: int) -> data.ComparedElite:
    measured: dict[str, Any] = {key: float(values[number]) for key, values in run.statistics.items()}
    if run.nearest is not None and comparison.training is not None:
        row = int(run.nearest[number])
        measured["nearest"] = row
        measured["nearest_label"] = int(comparison.training.labels[row])
        measured["near_training"] = number in run.near(comparison.training)
    return data.ComparedElite(
        number=number,
        label=comparison.labels[number],
        confidence=float(run.confidence[number]),
        passes=float(run.passes[number]),
        **measured,
    )


def _tests(comparison: Comparison, pair: Pair) -> Iterator[data.GroupTest]:
    names = tuple(comparison.groups[number].name for number in pair.groups)
    for of, test in (
        ("median confidence of each run", pair.runs),
        ("confidence of each class", pair.classes),
    ):
        if test is not None:
            yield data.GroupTest(groups=names, of=of, **asdict(test))
