"""ImageNet's experiments: which classes are the low band, and the whole of it on a small classifier."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from fooling.reproduce.experiments import imagenet
from fooling.reproduce.workspace import MissingInput, Scale, Workspace
from fooling.store.steps import StepStore
from fooling.studies.rank_tests import RankTest


def test_dogs_and_cats_by_wordnet_id() -> None:
    """A band that is off by a few classes would test other animals."""
    ids = ("n02077923", "n02085620", "n02113978", "n02114367", "n02123045", "n02124075", "n02125311")
    found = imagenet.pets(list("abcdefg"), ids)
    assert found is not None
    assert found.tolist() == [False, True, True, False, True, True, False]


def test_dogs_and_cats_by_place_where_the_classes_are_imagenet_s() -> None:
    labels = ["tench", *(str(number) for number in range(1, 1000))]
    found = imagenet.pets(labels)
    assert found is not None
    assert np.flatnonzero(found).tolist() == [*range(151, 269), *range(281, 286)]


@pytest.mark.parametrize("labels", [list("0123456789"), [str(number) for number in range(1000)]])
def test_other_classes_have_no_band(labels: list[str]) -> None:
    assert imagenet.pets(labels) is None


def test_the_two_ways_agree_on_the_assets_list(assets: Path) -> None:
    lines = (assets / "imagenet" / "synset_words.txt").read_text().splitlines()
    ids, names = zip(*(line.split(" ", 1) for line in lines), strict=True)
    by_id, by_place = imagenet.pets(names, ids), imagenet.pets(names)
    assert by_id is not None
    assert by_place is not None
    assert (by_id == by_place).all()
    assert by_id.sum() == 123


@pytest.fixture
def assets() -> Path:
    import os

    named = os.environ.get("FOOLING_ASSETS")
    folder = Path(named) if named else Path(__file__).resolve().parents[4] / "shared" / "assets"
    if not (folder / "imagenet" / "synset_words.txt").exists():
        pytest.skip("no assets: set FOOLING_ASSETS to a folder with imagenet/synset_words.txt")
    return folder


def test_a_class_is_its_median_over_the_runs() -> None:
    runs = [
        SimpleNamespace(confidence=np.array(one, np.float32))
        for one in ([0.1, np.nan, np.nan], [0.3, 0.5, np.nan], [0.9, 0.7, np.nan])
    ]
    found = imagenet.by_class(runs)  # type: ignore[arg-type]
    assert found == pytest.approx([0.3, 0.6, np.nan], nan_ok=True)


@pytest.mark.parametrize("perform", [imagenet.direct, imagenet.cppn])
def test_without_a_classifier_it_says_so(workspace: Workspace, perform: Any) -> None:
    with pytest.raises(MissingInput, match="--model"):
        perform(workspace)


def rank(better: float, p: float | None) -> RankTest:
    return RankTest("mann-whitney-u", (10, 10), 3.0, p, better)


@pytest.mark.parametrize(
    ("between", "dogs", "holds"),
    [
        (rank(0.9, 1e-9), rank(0.1, 1e-9), [True, True]),
        (rank(0.9, 1e-9), None, [True, None]),
        (rank(0.9, 0.01), rank(0.9, 1e-9), [False, False]),
        (rank(0.1, 1e-9), rank(0.5, None), [False, False]),
    ],
)
def test_claims(between: RankTest, dogs: RankTest | None, holds: list[bool | None]) -> None:
    """Which classes are dogs may not be known: that says nothing against the paper."""
    assert [claim.holds for claim in imagenet.claims(between, dogs, "")] == holds


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """Two generations against the LeNet that ships."""
    monkeypatch.setattr(imagenet, "GENERATIONS", {"cppn": (9, 2), "direct": (9, 2)})
    return Workspace(StepStore(tmp_path / "workspace"), Scale(True, 3, 3), model="builtin:lenet")


@pytest.mark.slow
def test_both_encodings_and_their_tests(small: Workspace) -> None:
    """The slightest slip here shows after hours of evolution only."""
    direct, cppn = imagenet.direct(small), imagenet.cppn(small)
    assert direct.numbers["generations"] == 2
    assert direct.numbers["evaluations"] == [600] * 3
    assert cppn.numbers["evaluations"] == [1200] * 3
    assert cppn.rows[-1].values == direct.rows[0].values, "the same runs"
    assert all("n = " in test for test in cppn.tests)
    assert [claim.holds for claim in cppn.claims][1] is None, "digits say nothing of dogs"
    for result in (direct, cppn):
        assert "After 2 generations" in result.why
        assert [figure.name for figure in result.figures] == ["classes", "best"]
        assert all(figure.picture.startswith(b"\x89PNG") for figure in result.figures)
