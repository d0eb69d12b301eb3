"""What the rounds say is what their files hold: held against plain torch, numpy and Pillow."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from fooling import classifiers, open_run
from fooling.classifiers import Classifier
from fooling.studies.intervals import wilson
from fooling.studies.retrain import Plan, retrain
from tests.fooling.studies.retrain.small import DATA, LABELS, PLAN


def network(folder: Path, number: int) -> Classifier:
    return classifiers.load(f"file:{folder}/round-{number:02d}/network.json")


def kept(folder: Path, number: int) -> list[dict[str, np.ndarray]]:
    paths = sorted((folder / f"round-{number:02d}" / "runs").iterdir())
    return [dict(np.load(path, allow_pickle=False)) for path in paths]


def test_every_round_is_a_network_with_one_class_more_than_the_data(experiment):
    folder, rounds, _ = experiment
    assert [one.number for one in rounds] == [0, 1, 2]
    for one in rounds:
        classifier = network(folder, one.number)
        assert classifier.labels == (LABELS if one.number == 0 else (*LABELS, "fooling"))
        assert classifier.fingerprint == one.fingerprint


def test_the_fooling_class_grows_as_planned(experiment):
    """A failure costs the experiment's only independent variable."""
    _, rounds, _ = experiment
    assert [one.sampled for one in rounds] == [12, 6, 0]
    assert [one.fooling_images for one in rounds] == [0, 12, 18]
    assert [one.training_images for one in rounds] == [240, 252, 258]


def test_accuracy_and_false_alarms_are_those_of_the_network_that_is_kept(experiment):
    folder, rounds, _ = experiment
    for one in rounds:
        said = network(folder, one.number).classify(DATA.test.images)
        assert one.accuracy.value == (said.argmax(1) == DATA.test.labels).mean()
        assert one.accuracy_among_classes.value == (said[:, :3].argmax(1) == DATA.test.labels).mean()
        if one.recognised is not None:
            assert one.recognised.false_alarms.value == (said.argmax(1) == 3).mean()


def test_held_out_images_are_not_trained_on_and_none_is_there_twice(experiment):
    """A failure makes a network look as if it knew fooling images that it has only learnt by heart."""
    folder, rounds, _ = experiment
    trained: list[Any] = []
    held_out: list[Any] = []
    for number in (0, 1):
        for run, arrays in enumerate(kept(folder, number)):
            (trained if run % 10 else held_out).extend(image.tobytes() for image in arrays["images"])
    trained = list(dict.fromkeys(trained))[:18]
    assert not set(trained) & set(held_out)
    assert rounds[2].recognised.trained.images == len(set(trained)) == 18
    assert rounds[2].recognised.held_out.images == len(set(held_out))


def test_recognised_is_what_the_network_calls_fooling(experiment):
    folder, rounds, _ = experiment
    for number in (1, 2):
        classifier, known = network(folder, number), rounds[number].recognised
        before = [arrays for earlier in range(number) for arrays in kept(folder, earlier)[:1]]
        held_out = classifier.classify(np.concatenate([arrays["images"] for arrays in before])).argmax(1) == 3
        assert known.held_out.value == held_out.mean()
        elites = np.concatenate([arrays["elites"] for arrays in kept(folder, number)])
        assert known.new.value == (classifier.classify(elites).argmax(1) == 3).mean()
        assert known.new.images == rounds[number].confidences.size
        assert known.unselected.images == 1000


def test_confidences_are_those_of_the_kept_pixels_without_the_class_fooling(experiment):
    """Contract 1; and the class "fooling" must not enter the median."""
    folder, rounds, _ = experiment
    for one in rounds:
        classifier = network(folder, one.number)
        for arrays, row in zip(kept(folder, one.number), one.confidences, strict=True):
            said = classifier.classify(arrays["elites"])[:, :3]
            assert np.array_equal(said.diagonal(), row)
            assert np.array_equal(arrays["confidences"], row)
        assert one.confidences.shape[1] == 3
        assert one.median == np.median(one.confidences)


def test_the_first_run_of_a_round_stays_to_be_looked_at(experiment):
    folder, rounds, _ = experiment
    for one in rounds:
        run = folder / f"round-{one.number:02d}" / "run"
        assert open_run(run).status == "completed"
        assert (run / "gallery.html").exists()
        images = [np.asarray(Image.open(run / f"elites/{k:04d}.png"))[..., None] for k in range(3)]
        assert np.array_equal(np.stack(images), one.elites)
        assert not list(run.parent.glob("running*"))


def test_the_document_holds_the_rounds(experiment):
    folder, rounds, _ = experiment
    data = json.loads((folder / "retrain.json").read_text())
    assert data["labels"] == list(LABELS)
    for one, found in zip(rounds, data["rounds"], strict=True):
        assert found["round"] == one.number
        assert found["accuracy"]["share"] == one.accuracy.value
        assert found["accuracy"]["ci95"] == list(wilson(one.accuracy.hits, one.accuracy.images))  # type: ignore[arg-type]
        assert found["confidence"]["median"] == one.median
        assert found["confidence"]["elites"] == one.confidences.tolist()
        assert found["runs"] == len(found["confidence"]["medians"]) == len(one.confidences)
        assert found["evaluations"] == found["runs"] * 5 * 12
        assert (found["recognised"] is None) == (found["against_first"] is None) == (one.number == 0)
    assert data["rounds"][2]["recognised"]["new"]["share"] == rounds[2].recognised.new.value
    assert data["rounds"][2]["against_first"]["n"] == [2, 3]
    assert Image.open(folder / "retrain.png").size[0] > 1000


def test_the_lines_say_what_is_done(experiment):
    lines = experiment[2]
    assert lines[0] == "round 0 of 2: training on 240 images, 0 of them fooling"
    assert "round 1 of 2: training on 252 images, 12 of them fooling" in lines
    assert any(line.startswith("round 1 of 2: epoch 2 of 2, test accuracy") for line in lines)
    assert any(line.startswith("round 2 of 2: run 2 of 2, median confidence") for line in lines)


def test_amounts_in_classes_and_shares_of_the_data(tmp_path):
    """Half of the images, and a class "fooling" that is as large as a quarter of another."""
    plan = Plan(**{**PLAN, "rounds": 1, "first": "0.25x", "size": 0.5, "per_run": 5})
    rounds = retrain(DATA, tmp_path / "out", plan)
    assert [one.training_images for one in rounds] == [120, 130]


@pytest.mark.slow
def test_a_network_learns_what_fooling_images_look_like(assets, tmp_path):
    """The experiment itself, on digits: after one retraining most held-out images are recognised, hardly a test
    image is taken for one, and new runs still fool the network. If it fails, the class is not learnt at all."""
    plan = Plan(rounds=1, size=0.1, first=6000, epochs=4, runs=3, assignments=("search.generations=60",))
    rounds = retrain(assets / "mnist", tmp_path / "out", plan)
    assert rounds[1].recognised.held_out.value > 0.5
    assert rounds[1].recognised.false_alarms.value < 0.02
    assert rounds[1].accuracy.value > rounds[0].accuracy.value - 0.02
    assert rounds[1].median > 0.9
