"""The study: opens the subject, asks its parts, and puts together what they say."""

from __future__ import annotations

import threading
from functools import partial
from importlib import import_module
from typing import Any

import numpy as np

from fooling.errors import Interrupted
from fooling.studies.audit.checks import Check, held, not_measurable
from fooling.studies.audit.opening import opened
from fooling.studies.audit.parts import PARTS
from fooling.studies.audit.report import Report as Result
from fooling.studies.audit.report import read_earlier, report_of, rules_of
from fooling.studies.audit.request import Request
from fooling.studies.audit.result import Images, Seen
from fooling.studies.audit.result import Result as Found
from fooling.studies.audit.subject import Subject
from fooling.studies.intervals import wilson
from fooling.studies.protocol import HERE, Report, Resources

__all__ = ["Request", "Result", "study"]


def study(
    request: Request,
    *,
    report: Report | None = None,
    stopping: threading.Event | None = None,
    resources: Resources = HERE,
) -> Result:
    """Audit a classifier. An audit that was interrupted goes on from what its folder keeps; see
    `fooling.studies.protocol.Study`. Rules and an earlier report are read first: what is wrong with them is told before
    anything is computed."""
    rules = rules_of(request.fail_on)
    earlier = None if request.baseline is None else read_earlier(request.baseline)
    found = _found(request, report, stopping or threading.Event(), resources)
    return report_of(found, request, rules, earlier)


def _found(request: Request, report: Report | None, stopping: threading.Event, resources: Resources) -> Found:
    with opened(request, report, stopping, resources) as subject:
        accuracy, check = _accuracy(subject)
        told: dict[str, Any] = {**_header(subject), **accuracy, "checks": [check.document()]}
        if check.verdict == "fail":
            return Found.model_validate({**told, "stopped": check.why}, strict=False)
        for name, module in PARTS.items():
            if request.parts and name not in request.parts:
                continue
            if subject.stopping.is_set():
                raise Interrupted
            found = subject.once(f"parts/{name}", partial(_measured, subject, module))
            told["checks"] += found.pop("checks", [])
            told |= found
        return Found.model_validate(told, strict=False)


def _measured(subject: Subject, module: str) -> dict[str, Any]:
    found: dict[str, Any] = import_module(module).measure(subject).document()
    return found


def _header(subject: Subject) -> dict[str, Any]:
    classifier, access, real = subject.evaluator.classifier, subject.access, subject.real
    seen = Seen(
        level=access.level,
        layer=access.layer,
        layer_sha256=access.layer_sha256,
        missing=dict(access.missing),
    )
    images = None
    if real is not None:
        images = Images(
            fit=len(real.fit),
            calibration=len(real.calibration),
            test=len(real.test),
            sha256=real.digest,
            form=real.form,
            doubts=real.doubts,
        ).document()
    return {
        "model": subject.request.model,
        "fingerprint": classifier.fingerprint,
        "labels": list(classifier.labels),
        "depth": subject.budget.depth,
        "seed": subject.seed,
        "access": seen.document(),
        "images": images,
    }


def _accuracy(subject: Subject) -> tuple[dict[str, Any], Check]:
    """The share of real test images that the classifier names right, and whether it is what the spec says, allowing
    three standard errors: with a broken preprocessing, say, no other number would mean anything."""
    name, real, spec = "accuracy", subject.real, subject.spec
    if real is None:
        return {}, not_measurable(name, "needs labelled real images (--samples)")
    if len(spec.labels) == 1:
        return {}, not_measurable(name, "the classifier has one class: no image can be named wrong")

    def right() -> int:
        answers = subject.evaluator.evaluate(real.test.pixels).confidences.argmax(axis=1)
        return int(np.sum(answers == real.test.classes))

    hits, count, classes = subject.once("accuracy", right), len(real.test), len(spec.labels)
    accuracy, interval = hits / count, wilson(hits, count)
    told = {"accuracy": accuracy, "accuracy_ci95": interval}
    least = 1 / classes if spec.accuracy is None else spec.accuracy
    margin = 3 * float(np.sqrt(least * (1 - least) / count))
    if spec.accuracy is None:
        passed, threshold = accuracy > least + margin, f"> {least + margin:.4f}"
        expected = "the spec states no accuracy; chance is the bound"
    else:
        passed, threshold = accuracy >= least - margin, f">= {least - margin:.4f}"
        expected = f"the spec states {least:.2%}"
    why = f"{hits} of {count} real test images are named right; {expected}, with three standard errors"
    if not passed:
        why += ": the audit stops here: are preprocessing, weights, labels and their order right?"
    return told, held(name, passed, accuracy, threshold, why, interval)
