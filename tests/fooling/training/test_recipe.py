"""Training repeats bit for bit, leaves the process's randomness alone, and what it saves loads again."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from typing import Any

import numpy as np
import pytest
import torch

from fooling import classifiers
from fooling.classifiers import Numerics, architectures
from fooling.classifiers.check import check
from fooling.classifiers.samples import Samples
from fooling.errors import FoolingError, InvalidError
from fooling.training import TrainingRecipe, fit, save, train
from fooling.training.descent import rate
from fooling.training.measures import calibration_error
from fooling.training.recipe import RECIPES, recipe_for
from fooling.training.train import initialised

NUMERICS = Numerics(device_model="test")


def blobs(count: int, seed: int, architecture: str = "lenet") -> Samples:
    """Three classes of noisy images with a bright square in one of three places: learnt in a few steps."""
    seen = architectures.find(architecture)
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, 3, count)
    shape = (count, seen.size, seen.size, 1 if seen.colour == "grey" else 3)
    images = generator.integers(0, 60, shape, dtype=np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[4 + 8 * label : 10 + 8 * label, 8:20] += 180
    return Samples(images, labels.astype(np.int64))


@pytest.fixture(scope="module")
def trained():
    return fit(blobs(640, 0), blobs(100, 1), TrainingRecipe(seed=3, epochs=2), "blobs", numerics=NUMERICS)


def test_it_learns(trained):
    assert trained.measures.accuracy > 0.95
    assert trained.classifier.labels == ("0", "1", "2")
    assert check(trained.classifier).failures == ()


def test_the_same_recipe_gives_the_same_weights(trained):
    """Provenance that cannot be followed is none. Whatever else draws random numbers must not matter."""
    torch.manual_seed(99)
    np.random.seed(99)  # noqa: NPY002 (the global state is what is tested)
    state = torch.get_rng_state()
    again = fit(blobs(640, 0), blobs(100, 1), TrainingRecipe(seed=3, epochs=2), "blobs", numerics=NUMERICS)
    assert again.classifier.fingerprint == trained.classifier.fingerprint
    assert torch.equal(torch.get_rng_state(), state)
    other = fit(blobs(640, 0), blobs(100, 1), TrainingRecipe(seed=4, epochs=2), "blobs", numerics=NUMERICS)
    assert other.classifier.fingerprint != trained.classifier.fingerprint


@pytest.mark.parametrize("name", [name for name in RECIPES if name != "lenet"])
def test_so_does_that_of_every_architecture_and_it_loads_as_it_was(name, tmp_path):
    """Statistics of a batch norm that were not kept, or drawn weights, would give other confidences."""
    recipe = recipe_for(name, seed=3, epochs=1)
    data, test = blobs(200, 0, name), blobs(40, 1, name)
    one, again = (fit(data, test, recipe, name, numerics=NUMERICS) for _ in range(2))
    assert again.classifier.fingerprint == one.classifier.fingerprint
    loaded = classifiers.load(f"file:{save(one, tmp_path)}", numerics=NUMERICS)
    assert np.array_equal(loaded.classify(test.images), one.classifier.classify(test.images))
    assert [finding.name for finding in check(loaded).findings if finding.status == "failed"] == []


@pytest.mark.parametrize("name, epochs", [("mlp", 2), ("resnet-mini", 2), ("vit-mini", 12)])
def test_every_recipe_learns(name, epochs):
    recipe = recipe_for(name, epochs=epochs)
    trained = fit(blobs(640, 0), blobs(100, 1), recipe, name, numerics=NUMERICS)
    assert trained.measures.accuracy > 0.95


def test_a_recipe_takes_changes():
    assert recipe_for("mlp", seed=7) == TrainingRecipe(**{**asdict(RECIPES["mlp"]), "seed": 7})
    assert recipe_for("lenet") == TrainingRecipe(), "LeNet's is Caffe's"
    with pytest.raises(InvalidError, match=r"unknown architecture 'mpl'.*did you mean mlp"):
        recipe_for("mpl")
    with pytest.raises(
        InvalidError, match="recipe: expected schedule to be one of inverse, cosine, found 'cos'"
    ):
        recipe_for("mlp", schedule="cos")


def test_the_rate_rises_and_falls_to_zero():
    cosine = rate(TrainingRecipe(schedule="cosine"), 1000)
    rates = [cosine(step) for step in range(1000)]
    assert rates[0] == pytest.approx(0.01)
    assert max(rates) == pytest.approx(1.0, abs=0.03)
    assert rates.index(max(rates)) == pytest.approx(95, abs=6)
    assert rates[500] == pytest.approx(0.5)
    assert rates[-1] == pytest.approx(0.0, abs=1e-5)
    inverse = rate(TrainingRecipe(), 1000)
    assert inverse(0) == 1.0
    assert inverse(10_000) == pytest.approx(2**-0.75), "Caffe's: 0.01 (1 + 1e-4 t)^-0.75"


def test_the_initial_weights_are_caffes_xavier():
    network = initialised(classifiers.architectures.find("lenet").empty(10), seed=0)
    for layer, inputs in ((network.conv1, 25), (network.conv2, 500), (network.ip1, 800), (network.ip2, 500)):
        bound = math.sqrt(3 / inputs)
        assert layer.weight.abs().max() <= bound
        assert layer.weight.std().item() == pytest.approx(bound / math.sqrt(3), rel=0.1)
        assert not layer.bias.any()


def test_progress_is_told_after_each_epoch():
    seen: list[Any] = []
    fit(
        blobs(64, 0), blobs(20, 1), TrainingRecipe(epochs=3), "blobs", numerics=NUMERICS, progress=seen.append
    )
    assert [(step.epoch, step.epochs) for step in seen] == [(1, 3), (2, 3), (3, 3)]
    assert all(0 <= step.accuracy <= 1 and step.loss > 0 for step in seen)


def test_what_is_saved_loads_again(trained, tmp_path):
    path = save(trained, tmp_path / "new", licence="MIT")
    loaded = classifiers.load(f"file:{path}", numerics=NUMERICS)
    batch = blobs(30, 2).images
    assert np.array_equal(loaded.classify(batch), trained.classifier.classify(batch))
    assert loaded.spec.accuracy == trained.measures.accuracy
    assert loaded.spec.licence == "MIT"
    assert {finding.name for finding in check(loaded).findings} >= {"expected"}
    assert check(loaded).failures == ()
    assert sorted(file.name for file in path.parent.iterdir()) == ["blobs.json", "blobs.safetensors"]


def test_the_provenance_says_how_it_was_made(trained, tmp_path):
    data = json.loads(save(trained, tmp_path).read_text())
    assert data["provenance"]["recipe"]["seed"] == 3
    assert data["provenance"]["training_images"] == 640
    assert data["provenance"]["numerics"]["threads"] == 1
    assert data["provenance"]["test"]["accuracy"] == trained.measures.accuracy
    assert set(data["provenance"]["versions"]) == {"fooling", "torch"}


def test_nothing_is_overwritten(trained, tmp_path):
    (tmp_path / "blobs.safetensors").write_text("mine")
    with pytest.raises(FoolingError, match=r"blobs\.safetensors exists"):
        save(trained, tmp_path)
    assert (tmp_path / "blobs.safetensors").read_text() == "mine"
    with pytest.raises(FoolingError, match="can't write "):
        save(trained, tmp_path / "blobs.safetensors" / "below")


@pytest.mark.parametrize(
    "training, recipe, labels, message",
    [
        (Samples(np.zeros((4, 20, 20, 1), np.uint8), np.zeros(4, np.int64)), TrainingRecipe(), None,
         r"expected training images of shape \(28, 28, 1\) for lenet, found \(20, 20, 1\)$"),
        (blobs(9, 0, "resnet-cifar"), TrainingRecipe(), None, r"found \(32, 32, 3\); for those: resnet-cifar$"),
        (blobs(9, 0), TrainingRecipe(), ("a", "b"), "expected training labels from 0 to 1, found others or none"),
        (blobs(9, 0), TrainingRecipe(architecture="lenett"), None, "unknown architecture 'lenett'.*did you mean lenet"),
        (Samples(np.zeros((0, 28, 28, 1), np.uint8), np.zeros(0, np.int64)), TrainingRecipe(), ("a",),
         "expected training labels"),
    ],
)  # fmt: skip
def test_what_cannot_be_trained_on_is_refused(training, recipe, labels, message):
    with pytest.raises(InvalidError, match=message):
        fit(training, blobs(9, 1) if labels is None else training, recipe, "x", labels, NUMERICS)


def test_calibration_error_by_hand():
    """Two at 0.9 of which one is right, two at 0.3 that are wrong: (2 x 0.4 + 2 x 0.3) / 4."""
    top = np.array([0.9, 0.9, 0.3, 0.3], np.float32)
    assert calibration_error(top, np.array([True, False, False, False])) == pytest.approx(0.35)
    assert calibration_error(np.ones(5, np.float32), np.ones(5, bool)) == 0.0


@pytest.mark.slow
def test_two_epochs_on_mnist_come_near_the_shipped_networks(assets):
    """The recipe itself: a wrong rate, scale or initialisation would show here first."""
    measures = train(assets / "mnist", TrainingRecipe(seed=7, epochs=2)).measures
    assert measures.accuracy > 0.98
    assert measures.near_certain < 0.75
