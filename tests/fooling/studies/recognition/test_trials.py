"""What a person is shown, and what becomes of the answers: on a small run of the shipped network for digits."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fooling.datasets.reading import Listed
from fooling.errors import InvalidError
from fooling.store import people
from fooling.store.people import AnswerRecord, SessionRecord, Trial
from fooling.store.reading import open_run
from fooling.store.snapshot import Snapshot
from fooling.studies.recognition import trials
from fooling.studies.recognition.study import Request, study


@pytest.fixture(scope="module")
def view(small_run: tuple[Path, dict[str, Any]]) -> Snapshot:
    return open_run(small_run[0])


def album(classes: range = range(10), each: int = 3) -> Listed:
    """Real images: noise; the first of each class is no image, but a damaged file."""
    labels = np.repeat(np.array(classes), each)
    pixels = np.random.default_rng(0).integers(0, 256, (len(labels), 28, 28, 1), np.uint8)

    def image(number: int) -> Any:
        if number % each == 0:
            raise InvalidError("damaged")
        return pixels[number]

    return Listed(labels, image)


def test_half_of_it_is_real_in_an_order_that_tells_nothing(view: Snapshot) -> None:
    """A failure lets people tell real images from elites by when they come, or shows an image twice."""
    firsts: Counter[bool] = Counter()
    for seed in range(40):
        shown = trials.draw(view, album(), "naming", 8, seed)
        kinds = [one.trial.real for one in shown]
        firsts[kinds[0]] += 1
        assert sum(kinds) == 4
        assert len({one.trial.image for one in shown}) == 8
        assert {one.trial.number for one in shown if one.trial.real} <= {
            one.trial.number for one in shown if not one.trial.real
        }
    assert min(firsts.values()) > 8
    again = trials.draw(view, album(), "naming", 8, 39)
    assert [one.trial for one in again] == [one.trial for one in shown]


def test_elites_are_those_of_the_run(view: Snapshot) -> None:
    """A failure asks people about other images than the classifier was sure of."""
    shown = trials.draw(view, None, "naming", 200, 0)
    assert len(shown) == len(np.unique(view.stored_rows[view.occupied]))
    for one in shown:
        assert np.array_equal(one.pixels, view.images[one.trial.number])
        assert one.trial.confidence == view.confidence[one.trial.number]
        assert one.trial.image == trials.digest(one.pixels)


def test_classes_with_real_images_come_first(view: Snapshot) -> None:
    """A failure compares elites of some classes with real images of others."""
    shown = trials.draw(view, album(range(2, 5)), "naming", 6, 0)
    assert {one.trial.number for one in shown} == {2, 3, 4}
    alone = trials.draw(
        view, album(range(2, 4)), "naming", 20, 0
    )  # of elites there are more than of real images
    assert Counter(one.trial.real for one in alone)[True] == 4


def test_two_labels_are_offered_in_either_order(view: Snapshot) -> None:
    """A failure gives the right label away by its place, or asks for a label that the classifier did not give."""
    places: Counter[int] = Counter()
    for seed in range(20):
        for one in trials.draw(view, album(), "choice", 8, seed):
            number, offered = one.trial.number, one.trial.offered
            assert offered is not None
            places[offered.index(number)] += 1
            assert len(set(offered)) == 2
            assert one.trial.real or view.top1[number] == number
    assert min(places.values()) > 40


def test_what_was_shown_is_found_again(view: Snapshot) -> None:
    """A failure shows another image than the one that the person's earlier answer, and the truth, are about."""
    shown = trials.draw(view, album(), "naming", 8, 1)
    asked = [one.trial for one in shown]
    for pixels, one in zip(trials.again(view, album(), asked), shown, strict=True):
        assert pixels is not None
        assert np.array_equal(pixels, one.pixels)
    other = [one.model_copy(update={"image": "0" * 32}) for one in asked]
    assert trials.again(view, album(), other) == [None] * 8
    assert [found is None for found in trials.again(view, None, asked)] == [one.real for one in asked]


def answered(run: Path, copy: Path, right: int) -> Path:
    """A copy of a run, of whose ten elites a person names the first few rightly, and every real image."""
    shutil.copytree(run, copy)
    shown = [Trial(number=k, image=f"{k:032x}", confidence=0.9) for k in range(10)]
    shown += [Trial(number=k, image=f"{k + 16:032x}", sample=k) for k in range(2)]
    session = SessionRecord(
        session="a" * 32, mode="naming", seed=0, began="", options=10, trials=tuple(shown)
    )
    people.begin(copy, session)
    for place, trial in enumerate(shown):
        said = trial.number if trial.real or place < right else None
        people.add(copy, 10, AnswerRecord(session="a" * 32, trial=place, answer=said, at=""))
    return copy


def test_runs_and_encodings_are_counted(small_run: Any, tmp_path: Path) -> None:
    """A failure says of all CPPN images what one run's people saw, or loses a run that nobody was asked about."""
    runs = [answered(small_run[0], tmp_path / "one", 2), answered(small_run[0], tmp_path / "two", 5)]
    result = study(Request(runs=(*runs, small_run[0], tmp_path / "none")))
    assert [run.people and run.people.naming.elites.recognised for run in result.runs] == [2, 5, None]
    (group,) = result.encodings
    assert (group.encoding, group.runs) == ("cppn", 2)
    # The same ten images in both runs: two were named by both people.
    assert (group.naming.elites.images, group.naming.elites.answers, group.naming.elites.recognised) == (
        10,
        20,
        2,
    )
    assert [failure.what for failure in result.failures] == [str(tmp_path / "none")]
    assert type(result).model_validate(json.loads(json.dumps(result.document()))) == result


def test_the_command_line_tells_it(small_run: Any, tmp_path: Path, fooling: Any) -> None:
    """A failure hides from whoever has no browser what people said, or breaks `show` of a run with a damaged file."""
    run = answered(small_run[0], tmp_path / "one", 2)
    shown = fooling("show", run)
    assert "People recognised 2 of 10 CPPN elites: 20 % (95 % interval 6 to 51 %)" in " ".join(
        shown.stdout.split()
    )
    told = json.loads(fooling("show", run, "--json").stdout)["people"]["naming"]
    assert (told["elites"]["recognised"], told["real"]["recognised"]) == (2, 2)
    table = fooling("recognition", run, small_run[0]).stdout
    assert "nobody was asked" in table
    (run / people.NAME).unlink()
    (run / people.NAME).mkdir()
    broken = fooling("show", run, "--json")
    assert json.loads(broken.stdout)["people"] is None
    assert "warning" in broken.stderr
