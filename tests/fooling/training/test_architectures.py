"""The networks whose code ships: an image's confidence is its own, whichever row or thread computes it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from fooling.classifiers import Classifier, Numerics, Spec, architectures
from fooling.classifiers.check import check
from fooling.training.recipe import RECIPES
from fooling.training.train import initialised

NAMES = tuple(architectures.ARCHITECTURES)
# Multiply-accumulates with weights, and parameters, at most: "small", and "about as cheap as LeNet".
BUDGETS = {
    "lenet": (2.3e6, 432_000),
    "mlp": (0.3e6, 275_000),
    "resnet-mini": (3e6, 260_000),
    "vit-mini": (3e6, 260_000),
    "resnet-cifar": (10e6, 270_000),
}


def untrained(name: str, seed: int = 0) -> nn.Module:
    return initialised(architectures.find(name).empty(10), seed).eval()


def spec(name: str) -> Spec:
    architecture = architectures.find(name)
    return Spec(name=name, size=architecture.size, colour=architecture.colour, labels=tuple("0123456789"))


def pixels(name: str, count: int, seed: int = 0) -> np.ndarray:
    one = spec(name)
    generator = np.random.default_rng(seed)
    return generator.integers(0, 256, (count, *one.image_shape), dtype=np.uint8)


@pytest.mark.parametrize("layout", ["channels-last", "nchw"])
@pytest.mark.parametrize("name", NAMES)
def test_an_image_is_the_same_in_every_row(name, layout):
    """Contract 5: chunks are cut differently on other machines, and an image then lies in another row. The number of
    threads is a setting of a run, since last bits may depend on it (they do with MKL on Intel's processors)."""
    images = pixels(name, 50)
    answers = []
    for threads in (1, 2):
        classifier = Classifier(untrained(name), spec(name), Numerics(threads=threads, layout=layout))
        expected = classifier.classify(images)
        assert len({row.tobytes() for row in expected}) > 40, "images that all look alike would show nothing"
        for shift in (1, 7, 24, 49):
            rolled = classifier.classify(np.roll(images, shift, axis=0))
            assert np.array_equal(rolled, np.roll(expected, shift, axis=0))
        assert np.array_equal(classifier.classify(images[30:33]), expected[30:33])
        answers.append(expected)
    assert np.abs(answers[0] - answers[1]).max() < 1e-6


@pytest.mark.parametrize("name", NAMES)
def test_recording_gradients_changes_no_bit(name):
    """Gradient ascent states the confidence that came with the gradient; `classify` must give the same."""
    classifier = Classifier(untrained(name), spec(name), Numerics())
    images = pixels(name, 20)
    stated, gradient = classifier.gradients(torch.from_numpy(images), torch.ones_like)
    assert np.array_equal(stated.numpy(), classifier.classify(images))
    assert gradient.abs().sum((1, 2, 3)).min() > 0


@pytest.mark.parametrize("name", NAMES)
def test_it_starts_as_a_classifier_that_passes_its_check(name):
    """Initial weights or statistics that were left out are memory's own: often NaN, sometimes worse."""
    findings = check(Classifier(untrained(name), spec(name), Numerics())).findings
    assert [one for one in findings if one.status == "failed"] == []


@pytest.mark.parametrize("name", NAMES)
def test_all_that_is_in_it_comes_from_the_seed(name):
    state = torch.get_rng_state()
    one, again, other = (untrained(name, seed).state_dict() for seed in (3, 3, 4))
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(one[key], again[key]) for key in one)
    drawn = [key for key in one if not torch.equal(one[key], other[key])]
    assert set(drawn) == {key for key, value in one.items() if value.ndim > 1}


@pytest.mark.parametrize("name", ["resnet-mini", "vit-mini"])
def test_norms_begin_as_the_identity(name):
    """Zero, as biases begin, would cut the gradient of all that lies before them."""
    norms = [one for one in untrained(name).modules() if isinstance(one, (nn.BatchNorm2d, nn.LayerNorm))]
    assert norms
    for norm in norms:
        assert (norm.weight == 1).all()
        assert not norm.bias.any()
        if isinstance(norm, nn.BatchNorm2d):
            assert (norm.running_var == 1).all()
            assert not norm.running_mean.any()
            assert norm.num_batches_tracked == 0


@pytest.mark.parametrize("name", NAMES)
def test_it_costs_what_it_may(name):
    """Evolution asks a network tens of thousands of times: what these cost is what a run costs."""
    network, operations = untrained(name), []

    def count(module: nn.Module, inputs: object, output: torch.Tensor) -> None:
        weights = module.weight[0].numel()
        operations.append(weights * output[0].numel())

    for module in network.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            module.register_forward_hook(count)
    one = spec(name)
    with torch.no_grad():
        network(torch.zeros(1, one.channels, *one.image_shape[:2]))
    most_operations, most_parameters = BUDGETS[name]
    assert sum(operations) <= most_operations
    assert sum(parameter.numel() for parameter in network.parameters()) <= most_parameters


def test_every_architecture_has_a_recipe_of_its_own():
    assert {name: recipe.architecture for name, recipe in RECIPES.items()} == {name: name for name in NAMES}
