"""Functions of arrays, as Keras, JAX and scikit-learn users have them. Turned away, they would have to write the
adapter themselves, and find out about threads, layouts and read-only arrays by mistakes."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import fooling
from fooling.classifiers import ClassifierError, Preprocessing, numpy_function
from fooling.classifiers.check import check
from fooling.errors import InvalidError

IMAGES = torch.rand(6, 3, 12, 12, generator=torch.Generator().manual_seed(4))
BYTES = Preprocessing(layout="nhwc", dtype="uint8", scale=255.0)
WEIGHTS = np.random.default_rng(3).normal(size=(12 * 12 * 3, 5)) / 500


class Keras:
    """As a Keras model: called or asked to predict, NHWC arrays in, arrays out."""

    def __init__(self) -> None:
        self.seen: list[tuple] = []

    def __call__(self, x):
        assert isinstance(x, np.ndarray)
        assert x.flags.c_contiguous
        self.seen.append((x.shape[1:], x.dtype.name, float(x.max())))
        return x.reshape(len(x), -1).astype(np.float64) @ WEIGHTS

    predict = __call__


@pytest.mark.parametrize("form", [lambda k: k, lambda k: k.predict, lambda k: lambda x: k.predict(x)])
def test_a_function_of_nhwc_bytes(wrap, form):
    keras = Keras()
    classifier = wrap(numpy_function(form(keras)), preprocessing=BYTES)
    pixels = np.random.default_rng(0).integers(0, 256, (6, 12, 12, 3), dtype=np.uint8)
    pixels[0] = 255
    logits = torch.from_numpy(pixels.reshape(6, -1) @ WEIGHTS)
    assert np.abs(classifier.classify(pixels) - logits.softmax(1).numpy()).max() < 1e-6
    assert keras.seen[0] == ((12, 12, 3), "uint8", 255.0)
    report = check(classifier)
    assert report.failures == ()
    assert "not differentiable: gradient ascent unavailable" in [
        finding.message for finding in report.findings
    ]


@pytest.mark.parametrize(
    "pack",
    [
        lambda y, x: y.tolist(),
        lambda y, x: list(y),
        lambda y, x: [x, y],
        lambda y, x: {"features": x, "probabilities": y, "name": "net"},
        lambda y, x: np.broadcast_to(y, y.shape),
        lambda y, x: torch.from_numpy(y),
    ],
)
def test_what_it_returns_may_be_packed(wrap, pack):
    """Lists of rows, several arrays, read-only ones as JAX gives them."""

    def predict(x):
        return pack(x.reshape(len(x), -1) @ WEIGHTS, x)

    found = wrap(numpy_function(predict)).logits(IMAGES)
    assert (found - IMAGES.flatten(1).double() @ torch.from_numpy(WEIGHTS)).abs().max() < 1e-5


def test_two_classes_of_one_probability(wrap):
    def predict(x):
        return x.mean((1, 2, 3))

    found = wrap(numpy_function(predict), labels=["real", "fake"], output="scores").confidences(IMAGES)
    fake = IMAGES.mean((1, 2, 3))
    assert (found - torch.stack([1 - fake, fake], 1)).abs().max() < 1e-6


def test_a_torch_network_of_nhwc_bytes(wrap, tiny):
    """The keys are the spec's, for whatever takes such images."""

    def network(x):
        assert (x.dtype, tuple(x.shape[1:])) == (torch.uint8, (12, 12, 3))
        return tiny(x.permute(0, 3, 1, 2).float() / 255)

    pixels = np.random.default_rng(0).integers(0, 256, (6, 12, 12, 3), dtype=np.uint8)
    found = wrap(network, preprocessing=BYTES).classify(pixels)
    assert np.abs(found - wrap().classify(pixels)).max() < 1e-5


def test_another_function_is_another_classifier(wrap):
    """A run must not be resumed with another network."""

    def one(x):
        return x

    def two(x):
        return x

    prints = {wrap(numpy_function(function)).fingerprint for function in (one, two)}
    assert len(prints) == 2


def test_arrays_without_the_wrapper_are_told_of_it(wrap, tiny):
    for pack in (lambda y: y.detach().numpy(), lambda y: y.tolist()):
        with pytest.raises(ClassifierError, match=r"found (ndarray|list); .*numpy_function"):
            wrap(lambda x, pack=pack: pack(tiny(x))).confidences(IMAGES)
    with pytest.raises(InvalidError, match=r"numpy_function\(model.predict\)"):
        numpy_function(object())  # type: ignore[arg-type]


def test_a_run_evolves_against_one(wrap, tmp_path):
    classifier = wrap(numpy_function(Keras()), batch=10, preprocessing=BYTES)
    small = ["search.generations=1", "search.population=10", "run.chunk=10"]
    run = fooling.run("imagenet-cppn", out=tmp_path / "run", assignments=small, classifier=classifier)
    assert run.generation == 1
