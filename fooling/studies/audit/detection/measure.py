"""Each detector fitted, given a threshold, and held against every kind of image that is not real.

Fitted to the fit images, thresholds on the calibration images, numbers on the test images (`fooling.studies.audit.images`).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np

from fooling.studies.audit.checks import NOT_MEASURABLE, Check, held, not_measurable
from fooling.studies.audit.detection import numbers, verdicts
from fooling.studies.audit.detection.bench import Bench
from fooling.studies.audit.detection.guarded import Guarded
from fooling.studies.audit.detection.others import ELITES, NOISE, kinds_of
from fooling.studies.audit.detection.result import DetectorRow, EliteRow, Part
from fooling.studies.audit.detectors.catalogue import DETECTORS
from fooling.studies.audit.detectors.protocol import Detector, Fitted, NotMeasurable
from fooling.studies.audit.metrics import ScoreError, threshold_of
from fooling.studies.audit.searching import elites_of
from fooling.studies.audit.subject import Subject


def measure(subject: Subject) -> Part:
    """All detectors.

    Raises:
        FoolingError: a run failed.
        Interrupted: the audit was stopped.
    """
    if subject.real is None:
        why = "needs labelled real images (--samples)"
        left = [_left(detector, why) for detector in DETECTORS]
        return _part(left, ())
    elites = elites_of(subject)
    bench = Bench(subject, elites, kinds_of(subject, elites))
    found = [
        subject.once(f"detectors/{detector.name}", partial(_measured, bench, detector))
        for detector in DETECTORS
    ]
    return _part(found, _elite_rows(bench, found))


def _part(found: list[dict[str, Any]], elites: tuple[EliteRow, ...]) -> Part:
    rows = tuple(DetectorRow.model_validate(one["row"], strict=False) for one in found)
    checks = [Check.model_validate(check, strict=False) for one in found for check in one["checks"]]
    return Part(detectors=rows, elites=elites, checks=(*checks, _fooled(rows)))


def _measured(bench: Bench, detector: Detector) -> dict[str, Any]:
    """One detector, as JSON-like data: its row, its checks, and of each elite whether it is rejected."""
    lacking = bench.subject.access.lacks(*detector.needs)
    if lacking is not None:
        return _left(detector, lacking)
    fit, calibration, test = bench.real
    try:
        fitted = detector.fit(fit, bench.network)
        scores = fitted.score(test)
        guarded = _guarded(
            bench, detector, fitted, threshold_of(fitted.score(calibration)), float(np.median(scores))
        )
        against = numbers.against_all(bench, guarded, detector, scores)
    except (NotMeasurable, ScoreError) as error:
        return _left(detector, str(error))
    row = _header(detector) | numbers.of_real(bench, guarded, scores) | numbers.headline(against)
    row["against"] = [kind.document() for kind in against]
    direction = verdicts.direction(detector, scores, fitted.score(bench.others[NOISE]))
    if direction.verdict == "fail":
        why = f"it can't tell noise from real images: {direction.why}"
        others = verdicts.missing(detector, why, verdicts.ALL[1:])
        return _document(row | {"verdict": NOT_MEASURABLE, "why": why}, [direction, *others])
    if (remote := bench.subject.access.lacks("many images")) is not None:
        why = f"the search against it {remote}"
        others = verdicts.missing(detector, why, verdicts.ALL[1:])
        return _document(row | {"verdict": NOT_MEASURABLE, "why": why}, [direction, *others])
    row |= numbers.attacked(bench, guarded)
    checks = verdicts.checks_of(detector, row, len(calibration), len(test))
    row |= {"verdict": checks[-1].verdict, "why": checks[-1].why}
    shown = bench.others.get(ELITES)
    rejected = [] if shown is None else (fitted.score(shown) < guarded.threshold).tolist()
    return _document(row, [direction, *checks], rejected)


def _guarded(bench: Bench, detector: Detector, fitted: Fitted, threshold: float, median: float) -> Guarded:
    """The classifier with the detector beside it. Its numbers have nine digits, so that its fingerprint is the same
    wherever they are computed."""
    threshold = float(f"{threshold:.9g}")
    spread = float(f"{median - threshold:.9g}")
    layer = bench.subject.access.layer if detector.reads_features else None
    classifier = bench.subject.evaluator.classifier
    return Guarded(classifier, fitted, layer, threshold, spread if spread > 0 else 1.0, detector.name)


def _header(detector: Detector) -> dict[str, Any]:
    return {"name": detector.name, "title": detector.title, "paper": detector.paper}


def _left(detector: Detector, why: str) -> dict[str, Any]:
    """A detector that can't be measured."""
    return _document(
        _header(detector) | {"verdict": NOT_MEASURABLE, "why": why}, verdicts.missing(detector, why)
    )


def _document(row: dict[str, Any], checks: list[Check], rejected: list[bool] | None = None) -> dict[str, Any]:
    return {
        "row": row,
        "checks": [check.document() for check in checks],
        "rejected": rejected or [],
    }


def _fooled(rows: tuple[DetectorRow, ...]) -> Check:
    """Whether the elites fool: by the classifier's own confidence, they are as real as real images."""
    row = next((row for row in rows if row.name == "msp"), None)
    if row is None or row.auroc is None:
        return not_measurable("elites.fool", "needs elites and real images", "< 0.5")
    why = (
        f"a real image has a higher confidence than an elite in {row.auroc:.1%} of pairs; where that is more than half, "
        "the search had too few images to fool"
    )
    return held("elites.fool", row.auroc < 0.5, row.auroc, "< 0.5", why, row.auroc_ci95)


def _elite_rows(bench: Bench, found: list[dict[str, Any]]) -> tuple[EliteRow, ...]:
    """The elites of the bare classifier, with the detectors that reject each."""
    labels, rows, place = bench.subject.spec.labels, [], 0
    rejecting: Mapping[str, list[bool]] = {one["row"]["name"]: one["rejected"] for one in found}
    for elites in bench.elites:
        run = elites.named(bench.subject.store.path)
        for number, confidence in zip(elites.classes.tolist(), elites.confidences.tolist(), strict=True):
            rows.append(
                EliteRow(
                    run=run,
                    encoding=elites.encoding,
                    number=number,
                    label=labels[number],
                    confidence=confidence,
                    image=f"elites/{number:04d}.png",
                    rejected_by=tuple(name for name, told in rejecting.items() if told and told[place]),
                )
            )
            place += 1
    return tuple(rows)
