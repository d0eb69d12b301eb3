"""What a run shows is in the order of its classes, and says what the classifier calls each image. A failure costs every
picture its name: images would be paired with other classes, or be said to fool a network that calls them otherwise."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

import fooling
from fooling import classifiers
from fooling.errors import NotFoundError
from fooling.store import checkpoint
from fooling.store.reading import open_run
from fooling.store.summary import summary

LABELS = ("ash", "birch", "cedar", "dogwood", "elm")
SEARCHES = {
    "map-elites": ("mnist-cppn", ["search.generations=3", "search.population=20"]),
    "single-class": ("mnist-direct-single", ["search.evaluations=12", "search.population=4"]),
    "breed": ("breed", ["search.line=3.7x1m50_m80"]),
    "gradient-ascent": ("mnist-ascent", ["search.steps=4", "search.steps_per_task=2"]),
}


class Hesitant(nn.Module):
    """(n, 3, 8, 8) to (n, 5) logits that hardly differ: most elites are called something else."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(192, 5)
        with torch.no_grad():
            self.head.weight.copy_(torch.randn(5, 192, generator=torch.Generator().manual_seed(3)) / 40)
            self.head.bias.copy_(torch.tensor([0.5, 0.2, -0.2, 0.0, -0.5]))

    def forward(self, x: Tensor) -> Tensor:
        return self.head(x.flatten(1))


def hesitant() -> Any:
    spec = classifiers.Spec(name="hesitant", size=8, colour="rgb", labels=LABELS)
    return classifiers.from_module(Hesitant().eval(), spec)


@pytest.fixture(scope="module", params=SEARCHES)
def run(request: Any, tmp_path_factory: Any) -> fooling.Snapshot:
    config, settings = SEARCHES[request.param]
    out = tmp_path_factory.mktemp("view") / "run"
    return fooling.run(config, out=out, assignments=settings, classifier=hesitant())


def test_images_are_in_the_order_of_labels_and_confidences(run: fooling.Snapshot) -> None:
    found = hesitant().confidences(torch.from_numpy(run.images.transpose(0, 3, 1, 2) / np.float32(255)))
    assert run.occupied.all()
    assert run.images.shape == (5, 8, 8, 3)
    assert np.diagonal(found.numpy()) == pytest.approx(run.confidence, abs=1e-6)
    for number in range(5):
        with Image.open(run.directory / f"elites/{number:04d}.png") as saved:
            assert np.array_equal(np.asarray(saved), run.images[number])
        assert np.array_equal(np.asarray(run.image(number)), run.images[number])


def test_what_each_elite_is_called_is_what_the_classifier_says(run: fooling.Snapshot) -> None:
    said = hesitant().classify(run.images)
    again = open_run(run.directory)
    assert again.top1.tolist() == run.top1.tolist() == said.argmax(axis=1).tolist()
    assert again.top1_confidence == pytest.approx(said.max(axis=1), abs=1e-6)
    told = summary(again).document()
    assert told["top1"] == run.top1_count == (said.argmax(axis=1) == np.arange(5)).sum() < 5
    for elite, row in zip(told["elites"], said, strict=True):
        first = int(row.argmax())
        assert (elite["top1"]["class"], elite["top1"]["label"]) == (first, LABELS[first])
        assert elite["top1"]["confidence"] == pytest.approx(row.max(), abs=1e-6)


def test_an_older_checkpoint_says_nothing_of_first_answers(run: fooling.Snapshot, tmp_path: Path) -> None:
    """Null, never a guess; all else is as it was."""
    saved = next(iter(checkpoint.saved(run.directory / "checkpoints")))
    found = checkpoint.load(saved)
    for name in ("top1", "top1_confidence"):
        del found.arrays[name]
    copy = tmp_path / "run"
    (copy / "checkpoints").mkdir(parents=True)
    checkpoint.save(copy / "checkpoints", found)
    for name in ("manifest.json", "events.jsonl", "lineage", "lock"):
        (copy / name).write_bytes((run.directory / name).read_bytes())
    told, expected = (
        json.loads(json.dumps(summary(open_run(path)).document())) for path in (copy, run.directory)
    )
    assert told["top1"] is None
    assert {json.dumps(elite.pop("top1")) for elite in told["elites"]} == {"null"}
    for elite in expected["elites"]:
        del elite["top1"]
    assert told == {**expected, "top1": None, "run": str(copy)}


def test_a_class_without_an_elite_has_a_black_image_and_says_so(run: fooling.Snapshot) -> None:
    archive = copy.deepcopy(run.archive)
    archive.rows = np.where(np.arange(5) == 1, -1, archive.rows)
    view = replace(run, archive=archive)
    assert view.occupied.tolist() == [True, False, True, True, True]
    assert not view.images[1].any()
    assert view.top1[1] == -1
    assert view.top1_count == (view.top1[[0, 2, 3, 4]] == [0, 2, 3, 4]).sum()
    with pytest.raises(NotFoundError, match="class 1, birch, has no elite"):
        view.image(1)
    with pytest.raises(NotFoundError, match="no class 5: expected 0 to 4"):
        view.image(5)


class Certain(nn.Module):
    """Two classes are always at exactly 1.0 in float32, as independent scores may be."""

    def forward(self, x: Tensor) -> Tensor:
        light = x.mean((1, 2, 3))
        return torch.stack([light / 2, torch.ones_like(light), torch.ones_like(light)], 1)


def test_of_equal_confidences_an_elites_own_counts_as_first(tmp_path: Path) -> None:
    spec = classifiers.Spec(name="certain", size=8, colour="grey", labels=("a", "b", "c"), output="scores")
    settings = ["search.generations=1", "search.population=4"]
    classifier = classifiers.from_module(Certain().eval(), spec)
    run = fooling.run(out=tmp_path / "run", assignments=settings, classifier=classifier)
    assert run.top1.tolist() == [1, 1, 2]
    assert run.top1_count == 2
    assert run.image(0).mode == "L"


def test_it_shows_itself_in_a_line(small_run: Any) -> None:
    """As the last line of a notebook's cell it filled 405,121 characters for a thousand classes."""
    view = open_run(small_run[0])
    assert repr(view) == f"<run {str(small_run[0])!r}: completed, generation 12, 10 of 10 classes>"
