"""What a classifier says of pixels, asked through an evaluator. A failure costs every study: transfer, audit and
explanation ask through it."""

from __future__ import annotations

import threading

import numpy as np
import pytest
import torch

import fooling
from fooling.classifiers.validity import ClassifierError
from fooling.config import RunSettings
from fooling.errors import Interrupted


@pytest.fixture(scope="module")
def pixels() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (120, 28, 28, 1), np.uint8)


def test_confidences_are_the_classifiers_own_in_whatever_pieces(pixels: np.ndarray) -> None:
    classifier = fooling.classifiers.load("builtin:lenet")
    with fooling.open_evaluator("builtin:lenet") as evaluator:
        found = evaluator.evaluate(pixels)
        assert (found.logits, found.features, found.gradients) == (None, None, None)
        np.testing.assert_array_equal(found.confidences, classifier.classify(pixels))
        assert evaluator.evaluate(pixels[:0]).confidences.shape == (0, 10)


def test_logits_features_and_gradients_where_asked(pixels: np.ndarray) -> None:
    classes = np.arange(120) % 10
    with fooling.open_evaluator("builtin:lenet") as evaluator:
        layer = evaluator.classifier.penultimate
        found = evaluator.evaluate(pixels, logits=True, features=layer, gradients=classes)
        classifier = evaluator.classifier
    assert found.logits is not None
    assert found.features is not None
    assert found.gradients is not None
    np.testing.assert_allclose(
        torch.tensor(found.logits).softmax(1).numpy(), found.confidences, rtol=1e-5, atol=1e-7
    )
    assert found.features.shape[0] == 120
    images = torch.tensor(pixels).permute(0, 3, 1, 2).float().div(255).requires_grad_()
    own = classifier.confidences(images)[torch.arange(120), torch.tensor(classes)].log().sum()
    (expected,) = torch.autograd.grad(own, images)
    np.testing.assert_allclose(
        found.gradients,
        expected.permute(0, 2, 3, 1).numpy(),
        rtol=1e-3,
        atol=1e-4 * expected.abs().max().item(),
    )


def test_what_a_classifier_has_not_is_an_error(pixels: np.ndarray) -> None:
    with (
        fooling.open_evaluator("builtin:lenet") as evaluator,
        pytest.raises(ClassifierError, match="nowhere"),
    ):
        evaluator.evaluate(pixels, features="nowhere")


def test_it_is_stopped_between_chunks(pixels: np.ndarray) -> None:
    """A study of an hour could not be cancelled."""
    stopping = threading.Event()
    stopping.set()
    with (
        fooling.open_evaluator("builtin:lenet", stopping=stopping) as evaluator,
        pytest.raises(Interrupted),
    ):
        evaluator.evaluate(pixels)


@pytest.mark.slow
def test_workers_say_the_same(pixels: np.ndarray) -> None:
    with fooling.open_evaluator("builtin:lenet") as here:
        expected = here.evaluate(pixels, logits=True)
    with fooling.open_evaluator("builtin:lenet", run=RunSettings(workers=1)) as there:
        found = there.evaluate(pixels, logits=True)
    np.testing.assert_array_equal(found.confidences, expected.confidences)
    np.testing.assert_array_equal(found.logits, expected.logits)
