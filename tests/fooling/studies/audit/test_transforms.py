"""What transforms are said to do. A wrong row sells a filter that does nothing, or hides one that helps."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fooling.store.reading import open_run
from fooling.studies.audit import answers
from fooling.studies.audit.searching import elites_of
from fooling.studies.audit.shares import share_of
from fooling.studies.audit.transforms import measure
from fooling.studies.audit.transforms.filters import named
from fooling.studies.audit.transforms.through import through
from tests.fooling.studies.audit.subjects import tiny


def test_each_number_is_what_its_name_says_and_what_is_done_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = tuple(named(name) for name in ("halftone", "noise-8"))
    monkeypatch.setattr(measure, "TRANSFORMS", chosen)
    with tiny(tmp_path / "audit") as subject:
        found = measure.measure(subject)
        assert [row.name for row in found.transforms] == ["halftone", "noise-8"]
        lenet, elites, real = subject.evaluator.classifier, elites_of(subject), subject.real
        assert real is not None
        for transform, row in zip(chosen, found.transforms, strict=True):
            for survival, run in zip(row.survival, elites, strict=True):
                before = lenet.classify(run.pixels)
                after = lenet.classify(transform.apply(run.pixels))
                fooling = [
                    row
                    for row, number in enumerate(run.classes)
                    if before[row].argmax() == number and before[row, number] >= 0.99
                ]
                assert survival.kept_99.count == len(fooling)
                kept = sum(
                    after[row].argmax() == run.classes[row] and after[row].max() >= 0.99 for row in fooling
                )
                assert survival.kept_99.value == (kept / len(fooling) if fooling else None)
            assert row.cost is not None
            right = lenet.classify(transform.apply(real.test.pixels)).argmax(axis=1) == real.test.classes
            assert row.cost.accuracy.value == right.mean()
            assert row.cost.bare == 1
            assert row.evolved is not None
            assert row.evolved.budget == 40
            behind = open_run(tmp_path / "audit" / "runs" / "transforms" / f"{row.name}-0")
            seen = lenet.classify(transform.apply(behind.images))[np.arange(10), np.arange(10)]
            assert (seen == behind.confidence).all(), (
                "the search was not told what is seen behind the transform"
            )
            assert row.evolved.median == np.median(seen)
        assert [check.id for check in found.checks if "adaptive" in check.id] == [
            "transform.halftone.adaptive_success",
            "transform.noise-8.adaptive_success",
        ]
        monkeypatch.setattr(measure, "_row", lambda *_: pytest.fail("asked again"))
        assert measure.measure(subject) == found


def test_a_run_through_a_transform_is_one_of_another_classifier(tmp_path: Path) -> None:
    with tiny(tmp_path / "audit") as subject:
        lenet = subject.evaluator.classifier
        assert through(lenet, named("bits-3")).fingerprint != through(lenet, named("bits-4")).fingerprint


def test_shares_count_runs_not_images() -> None:
    random = np.random.Generator(np.random.Philox(0))
    found = share_of([0, 10], [10, 10], random, 400)
    assert (found.value, found.count) == (0.5, 20)
    assert found.ci95 == (0.0, 1.0), "siblings were taken for independent images"
    alone = share_of([5], [20], random, 400).ci95
    assert alone is not None
    assert 0.1 < alone[0] < 0.25 < alone[1] < 0.5
    assert share_of([0], [0], random, 400).value is None


def test_of_equals_the_class_that_is_meant_is_first() -> None:
    found = answers.of(np.array([[1, 1], [0.2, 0.8], [np.nan, np.nan]], np.float32), np.array([1, 0, 0]))
    assert found.first.tolist() == [True, False, False]
    assert found.at_least(0.99).tolist() == [True, False, False]
