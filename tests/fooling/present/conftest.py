"""Small synthetic runs, made without a classifier."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest

from fooling.classifiers.numerics import Numerics
from fooling.classifiers.spec import Spec
from fooling.config import ResolvedSettings, validate
from fooling.sizes import size_of
from fooling.store.checkpoint import Counters
from fooling.store.snapshot import Snapshot, Status, empty_archive
from fooling.store.spec import ClassifierRecord, RunSpec

MakeView = Callable[..., Any]


def _make_view(
    directory: Path,
    confidence: Sequence[float] = (0.9999, 0.995, 0.4),
    *,
    labels: Sequence[str] | None = None,
    groups: dict[str, Sequence[int]] | None = None,
    image: Sequence[int] | None = None,
    shape: tuple[int, int, int] = (6, 6, 1),
    curve: list[dict[str, Any]] | None = None,
    status: Status = "completed",
    seed: int = 0,
    target_classes: Sequence[int] | None = None,
    top1: Sequence[int] | None = None,
) -> Snapshot:
    """A run's view with these confidences (NaN: no elite), each class with an image of its own unless
    `image` says otherwise; the search is for all of them unless `aims` names some, and the
    classifier answers each with its class first unless `top1` says otherwise (-1: not known). Class k's elite has the id (10 + image, 0, image)."""
    values = np.array(confidence, np.float32)
    count = len(values)
    rows = np.array(range(count) if image is None else image, np.int32)
    rows[np.isnan(values)] = -1
    answers = np.arange(count) if top1 is None else np.array(top1)
    size = size_of(shape[:2])
    colour: Literal["grey", "rgb"] = "grey" if shape[2] == 1 else "rgb"
    classifier = Spec(
        name="lenet",
        labels=tuple(labels or (f"label {number}" for number in range(count))),
        groups={name: tuple(members) for name, members in (groups or {}).items()},
        size=size,
        colour=colour,
        output="logits",
    )
    search = {"name": "map-elites", "generations": 20}
    if target_classes is not None:
        search = {"name": "single-class", "classes": list(target_classes)}
    settings = validate({"seed": seed, "search": search}, "a test")
    spec = RunSpec(
        model=settings.model,
        seed=seed,
        config=ResolvedSettings.of(settings, size, colour, count),
        classifier=ClassifierRecord(spec=classifier, fingerprint="0" * 64),
        numerics=Numerics(),
        operators={},
        versions={},
        trust=False,
    )
    archive, _ = empty_archive(spec.config, classifier)
    images = max(0, rows.max()) + 1
    archive.thresholds = np.where(rows < 0, archive.thresholds, values)
    archive.rows = rows
    archive.ids[:images] = [(number + 10, 0, number) for number in range(images)]
    archive.pixels[:images] = np.random.default_rng(seed).integers(0, 256, (images, *shape), np.uint8)
    for number in np.flatnonzero(rows >= 0):
        archive.top1[rows[number]] = answers[number]
        sure = values[number] if answers[number] == number else 0.75
        archive.top1_confidence[rows[number]] = np.nan if answers[number] < 0 else sure
    directory.mkdir(exist_ok=True)
    counters = Counters(generation=20, evaluations=4200, seconds=8.4)
    told = [_row(generation) for generation in (0, 10, 20)] if curve is None else curve
    return Snapshot(directory, status, spec, archive.frozen(), counters, told)


def edited(view: Snapshot, **arrays: Any) -> Snapshot:
    """The snapshot with other arrays of these names in its archive."""
    archive = copy.copy(view.archive)
    for name, array in arrays.items():
        setattr(archive, name, array)
    return replace(view, archive=archive)


def _row(generation: int) -> dict[str, Any]:
    share = generation / 20
    return {
        "generation": generation,
        "evaluations": 200 * (generation + 1),
        "seconds": 0.4 * generation,
        "min": 0.1 + 0.3 * share,
        "median": 0.2 + 0.795 * share,
        "mean": 0.2 + 0.6 * share,
        "max": 0.5 + 0.4999 * share,
        "at_least_0.99": int(2 * share),
        "at_least_0.9999": int(share),
    }


@pytest.fixture
def make_view(tmp_path: Path) -> MakeView:
    """`make_view(confidence, name="run", **fields)`: a view in a directory of the test's own."""
    return lambda *args, name="run", **fields: _make_view(tmp_path / name, *args, **fields)
