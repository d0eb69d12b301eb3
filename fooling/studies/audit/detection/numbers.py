"""The numbers of one detector that was fitted."""

from __future__ import annotations

from typing import Any

import numpy as np

from fooling.studies.audit.detection.adaptive import attack, fooling_classes
from fooling.studies.audit.detection.bench import Bench
from fooling.studies.audit.detection.guarded import Guarded
from fooling.studies.audit.detection.others import ELITES, FOOLS, STATIC, Kind
from fooling.studies.audit.detection.result import Against
from fooling.studies.audit.detectors.protocol import F64, Detector
from fooling.studies.audit.metrics import detected, false_alarms, missed, over_groups, placements
from fooling.studies.audit.searching import named, runs_of
from fooling.studies.audit.survival import joined, waits_of
from fooling.studies.intervals import wilson

_PURPOSE = 3  # of random numbers
_STEPS = np.linspace(0.0, 1.0, 21)


def quantiles(scores: F64) -> tuple[float, ...]:
    """At 0, 5, ..., 100 %."""
    return tuple(np.quantile(scores, _STEPS).tolist())


def of_real(bench: Bench, guarded: Guarded, scores: F64) -> dict[str, Any]:
    """What the detector costs real test images.

    Args:
        scores: theirs.
    """
    test = bench.real[2]
    assert test.classes is not None
    accepted = scores >= guarded.threshold
    right = guarded.fitted.answers(test).argmax(axis=1) == test.classes
    return {
        "threshold": guarded.threshold,
        "rejected_real": float((~accepted).mean()),
        "accuracy": float(right.mean()),
        "accuracy_kept": float((accepted & right).mean()),
        "real_quantiles": quantiles(scores),
        "parameters": dict(guarded.fitted.parameters),
        "layer": guarded.layer,
    }


def against_all(bench: Bench, guarded: Guarded, detector: Detector, scores: F64) -> list[Against]:
    """How the detector tells real test images from each kind of others."""
    return [_against(bench, guarded, kind, kind.name in detector.seen, scores) for kind in bench.kinds]


def _against(bench: Bench, guarded: Guarded, kind: Kind, seen: bool, real: F64) -> Against:
    others = guarded.fitted.score(bench.others[kind.name])
    groups = [kind.groups == number for number in np.unique(kind.groups)]
    budget, random = bench.subject.budget, bench.subject.random

    def interval(values: F64) -> tuple[float, float] | None:
        return over_groups([values[rows] for rows in groups], random(_PURPOSE), budget.resamples)

    placed = placements(real, others)
    below = (others < guarded.threshold).astype(np.float64)
    return Against(
        kind=kind.name,
        seen=seen,
        images=len(kind),
        groups=len(groups),
        auroc=float(placed.mean()),
        auroc_ci95=interval(placed),
        fpr95_fooling_positive=false_alarms(real, others),
        fpr95_real_positive=missed(real, others),
        detected_at_5pct_false_alarms=detected(others, guarded.threshold),
        detected_at_5pct_false_alarms_ci95=interval(below),
        quantiles=quantiles(others),
    )


def headline(against: list[Against]) -> dict[str, Any]:
    """The numbers against static elites; against all elites where none of them fools."""
    for name in (STATIC, ELITES):
        for found in against:
            if found.kind == name:
                keys = (
                    "auroc",
                    "fpr95_fooling_positive",
                    "fpr95_real_positive",
                    "detected_at_5pct_false_alarms",
                )
                shown = found.document()
                return {
                    key: shown[key] for key in (*keys, "auroc_ci95", "detected_at_5pct_false_alarms_ci95")
                }
    return {}


def attacked(bench: Bench, guarded: Guarded) -> dict[str, Any]:
    """What is left to static elites, and to a search that knows the detector.

    Raises:
        FoolingError: a run failed.
        Interrupted: the audit was stopped.
    """
    subject, count = bench.subject, len(bench.subject.spec.labels)
    static = np.zeros(count, np.bool_)
    for elites in bench.elites:
        static |= fooling_classes(guarded, elites, count)
    bare = joined(
        [waits_of(run, FOOLS, np.arange(count), "evaluations") for run in runs_of(subject, "cppn")]
    ).until(0.5)
    found = attack(subject, guarded)
    either, needed = found.fooled | static, found.waits.until(0.5)
    return {
        "static_success": float(static.mean()),
        "static_success_ci95": wilson(int(static.sum()), count),
        "adaptive_success": float(either.mean()),
        "adaptive_success_ci95": wilson(int(either.sum()), count),
        "evolved_success": float(found.fooled.mean()),
        "adaptive_images_50": needed,
        "bare_images_50": bare,
        "effort_ratio": needed / bare if needed is not None and bare else None,
        "runs": tuple(named(subject, run) for run in found.runs),
    }
