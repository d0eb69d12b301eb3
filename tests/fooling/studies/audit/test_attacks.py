"""Reference attacks. Too weak an attack flatters the classifier; one beyond its bounds maligns it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fooling.errors import InvalidError
from fooling.studies.audit.attacks import measure
from fooling.studies.audit.attacks.curves import accuracy_curve, auac
from fooling.studies.audit.attacks.gradient import ATTACKS, attacked
from fooling.studies.audit.transforms.filters import named
from tests.fooling.studies.audit.subjects import tiny


def test_the_area_is_that_of_bouniots_readme_and_needs_the_beginning() -> None:
    accuracies = [96, 64.95, 34.52, 16.73, 7.81, 3.73]
    assert auac(range(6), accuracies) == pytest.approx(34.775, abs=5e-4)
    assert auac([0, 1, 4], [1, 0.5, 0.5]) == pytest.approx((0.75 + 1.5) / 4)
    for sizes in ([1, 2], [0], [0, 2, 1]):
        with pytest.raises(InvalidError, match="rise from 0"):
            auac(sizes, accuracies[: len(sizes)])


def test_the_curve_is_the_share_that_no_smaller_size_has_fooled() -> None:
    smallest = np.array([0, 4, 4, np.inf])
    assert accuracy_curve(smallest, [0, 2, 4, 8]) == [0.75, 0.75, 0.25, 0.25]


def test_attacks_keep_to_their_bounds_and_fool(tmp_path: Path) -> None:
    with tiny(tmp_path / "audit") as subject:
        real = subject.real
        assert real is not None
        test, random = real.test, np.random.Generator(np.random.Philox(0))
        for attack in ATTACKS:
            found = attacked(subject, attack, test, 40, random)
            distance = np.abs(found.last.astype(int) - test.pixels).max()
            assert 30 <= distance <= 40
            wrong = subject.evaluator.evaluate(found.last).confidences.argmax(axis=1) != test.classes
            assert (found.fooled | ~wrong).all(), "an image that fools was not counted"
            assert found.fooled.mean() >= 0.5
            untouched = attacked(subject, attack, test, 0, random)
            assert (untouched.last == test.pixels).all()
            assert not untouched.fooled.any()


def test_a_part_has_a_curve_for_every_attack_and_both_ways_through_a_transform(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measure, "TRANSFORMS", (named("bits-3"),))
    with tiny(tmp_path / "audit") as subject:
        found = measure.measure(subject)
        assert found.attacks is not None
        assert found.attacks.images == 6
        names = [(curve.attack, curve.transform) for curve in found.attacks.curves]
        assert names[3:] == [("worst", None), ("pgd", "bits-3"), ("bpda-pgd", "bits-3")]
        for curve in found.attacks.curves:
            assert (np.diff(curve.accuracy) <= 0).all()
            assert curve.auac == auac(found.attacks.epsilons, curve.accuracy)
        worst = min(curve.auac for curve in found.attacks.curves[:3])
        assert found.attacks.curves[3].auac <= worst


def test_what_is_missing_is_said(tmp_path: Path) -> None:
    with tiny(tmp_path / "audit", real=None) as subject:
        found = measure.measure(subject)
    assert found.attacks is None
    assert [check.verdict for check in found.checks] == ["not measurable"]
    assert "--samples" in found.checks[0].why
