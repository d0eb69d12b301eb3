"""Relatives look alike: a measure of it, on images whose families are known."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fooling.reproduce.experiments import related
from fooling.reproduce.permutation_tests import PermutationTest
from fooling.reproduce.workspace import MissingInput, Scale, Workspace
from fooling.store.steps import StepStore

FAMILIES, MEMBERS = 6, 4
GROUPS = np.repeat(np.arange(FAMILIES), MEMBERS)


def images(seed: int, kinship: float) -> np.ndarray:
    """(24, 16, 16, 3) uint8: coarse noise; members of a family share so much of it."""
    generator = np.random.default_rng(seed)
    own = generator.random((len(GROUPS), 4, 4, 3))
    shared = generator.random((FAMILIES, 4, 4, 3))[GROUPS]
    mixed = kinship * shared + (1 - kinship) * own
    return (255 * mixed).astype(np.uint8).repeat(4, axis=1).repeat(4, axis=2)


def test_siblings_are_of_the_smallest_group_and_umbrellas_make_none() -> None:
    groups = {"animal": [0, 1, 2, 3, 4], "dog": [0, 1, 2], "toy": [1, 2, 5, 6], "lone": [7]}
    found = related.siblings(8, groups)
    assert found[1] == found[2] == found[0], "dog is smaller than toy"
    assert found[5] == found[6] != found[0]
    assert found[[3, 4, 7]].tolist() == [-1] * 3, "merely animals, and one alone"


def test_without_groups_there_are_no_siblings() -> None:
    assert (related.siblings(2, {}) == -1).all()
    assert (related.siblings(3, {"b": [0, 1], "a": [1, 2]}) >= 0).sum() == 2


@pytest.mark.parametrize("feature", [related.layout, related.colours])
def test_kinship_is_seen_and_noise_is_none(feature: Any) -> None:
    alike = [related.distances(one, one) for one in (feature(images(seed, 0.8)) for seed in range(2))]
    noise = [related.distances(one, one) for one in (feature(images(seed, 0.0)) for seed in range(2))]
    assert related.likeness(alike[0], GROUPS) > 0.1
    assert related.resemblance(alike, GROUPS).p == 0.001
    assert abs(related.likeness(noise[0], GROUPS)) < 0.05
    assert related.resemblance(noise, GROUPS).p > 0.05


def test_equal_siblings_are_wholly_alike() -> None:
    values = related.layout(images(0, 1.0))
    assert related.likeness(related.distances(values, values), GROUPS) == pytest.approx(1.0)


@given(st.integers(0, 1000))
def test_distances_are_root_mean_squares(seed: int) -> None:
    a, b = np.random.default_rng(seed).random((2, 5, 7))
    expected = np.sqrt(((a[:, None] - b[None]) ** 2).mean(axis=-1))
    assert related.distances(a, b) == pytest.approx(expected, abs=1e-7)


def test_colours_know_no_place() -> None:
    pixels = images(0, 0.0)
    turned = pixels[:, ::-1].transpose(0, 2, 1, 3)
    assert (related.colours(pixels) == related.colours(turned)).all()
    assert (related.colours(pixels) ** 2).sum(axis=1) == pytest.approx(1.0)


def test_the_families_that_are_shown() -> None:
    """Of each group its nearest members, and never one image three times."""
    points = np.array([0.0, 0.0, 1.0, 1.5, 10.0, 10.1, 10.2, 50.0, 51.0])
    apart = np.abs(points[:, None] - points)
    groups = np.array([0, 0, 0, 0, 1, 1, 1, 2, 2])
    found = related.nearest_families(apart, groups)
    assert found[0] == [5, 4, 6]
    assert sorted(found[1])[-2:] == [2, 3]
    assert len(found) == 2, "two classes are no family of three"


@pytest.mark.parametrize(
    ("p", "within", "between", "holds"),
    [
        (0.001, [0.2, 0.3], [0.1], [True, True]),
        (0.001, [0.2, 0.3], [0.4], [True, False]),
        (0.3, [0.2, 0.3], [0.1], [False, False]),
    ],
)
def test_claims(p: float, within: list[float], between: list[float], holds: list[bool]) -> None:
    tests = {"layout": PermutationTest(0.2, 0.0, 24, p)}
    claims = related.claims(tests, {"layout": within}, {"layout": between})
    assert [claim.holds for claim in claims] == holds


def views(groups: dict[str, list[int]]) -> list[Any]:
    """Three runs of an invented classifier, each with families of its own."""
    return [
        SimpleNamespace(
            stored_pixels=images(seed, 0.8),
            stored_rows=np.arange(len(GROUPS)),
            confidence=np.full(len(GROUPS), 0.9, np.float32),
            labels=[f"class {number}, one" for number in range(len(GROUPS))],
            groups=groups,
        )
        for seed in range(3)
    ]


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(StepStore(tmp_path / "workspace"), Scale(True, 3, 3), model="an:invention")


def test_all_of_it(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    groups = {f"family {number}": np.flatnonzero(number == GROUPS).tolist() for number in range(FAMILIES)}
    monkeypatch.setattr(related, "evolved", lambda *_: views(groups))
    found = related.perform(workspace)
    assert found.verdict == "reproduced"
    assert all("n = 24" in test for test in found.tests)
    assert [len(row.values) for row in found.rows[:4]] == [3, 3, 3, 3]
    assert found.numbers["same_image"] == [(0.0, 0.0)] * 3


def test_a_classifier_without_groups_is_not_enough(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(related, "evolved", lambda *_: views({}))
    with pytest.raises(MissingInput, match="groups"):
        related.perform(workspace)
