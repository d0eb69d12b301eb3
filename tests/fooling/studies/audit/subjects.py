"""A tiny audit subject: LeNet, labelled images that it names right by construction, and a budget of seconds."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from fooling.classifiers.synthetic import synthetic
from fooling.studies.audit.budget import budget_of
from fooling.studies.audit.images import Labelled, Real
from fooling.studies.audit.opening import opened
from fooling.studies.audit.request import Request
from fooling.studies.audit.subject import Subject
from fooling.studies.protocol import HERE

TINY = replace(
    budget_of("quick"),
    runs=1,
    population=20,
    generations=1,
    adaptive_runs=1,
    adaptive_generations=1,
    resamples=50,
    queries=(100,),
    attacked=6,
)


@contextmanager
def tiny(out: Path, model: str = "builtin:lenet", **changes: Any) -> Iterator[Subject]:
    """The subject, in a folder."""
    with opened(Request(model=model, out=out, depth="quick"), None, threading.Event(), HERE) as subject:
        pixels = synthetic(subject.spec.size, subject.spec.channels, 24)
        classes = subject.evaluator.evaluate(pixels).confidences.argmax(axis=1).astype(np.int64)
        fit, calibration, test = (
            Labelled(pixels[rows], classes[rows]) for rows in (slice(0, 8), slice(8, 12), slice(12, 24))
        )
        real = Real(fit, calibration, test, "of mosaics")
        yield replace(replace(subject, real=real, budget=TINY), **changes)
