"""Detectors that are networks, trained on. A failure costs the audit its strongest defences: they would look useless, or
the bare network would be measured in their place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from fooling.classifiers import Classifier
from fooling.studies.audit.detectors import energy_tuning, extra_class, outlier_exposure
from fooling.studies.audit.detectors.protocol import Network, Shown, Training
from fooling.studies.audit.detectors.tuning import copy_of

TRAINED = (extra_class, outlier_exposure, energy_tuning)


def stripes(n: int, seed: int) -> np.ndarray:
    """(n, 6, 6, 1): what no real image is here."""
    random = np.random.default_rng(seed)
    return np.broadcast_to(random.integers(0, 256, (n, 6, 1, 1), np.uint8), (n, 6, 6, 1)).copy()


@pytest.fixture
def world(classifier: Callable[..., Classifier]) -> tuple[Shown, Network]:
    """Real images that are dark on one side, which the classifier names by itself, and stripes as other images."""
    net = classifier()
    random = np.random.default_rng(0)
    pixels = random.integers(0, 256, (400, 6, 6, 1), np.uint8)
    pixels[:, :, :3] //= 8
    logits = net.logits(pixels).astype(np.float64)
    classes = logits.argmax(axis=1)
    training = Training(lambda: stripes(300, 1), lambda: stripes(300, 2), 12, 0)
    return Shown(pixels, net.classify(pixels).astype(np.float64), logits, None, classes), Network(
        net, net.penultimate, training=training
    )


def shown(network: Network, pixels: np.ndarray) -> Shown:
    classifier = network.classifier
    return Shown(
        pixels, classifier.classify(pixels).astype(np.float64), classifier.logits(pixels).astype(np.float64)
    )


@pytest.mark.parametrize("detector", TRAINED)
def test_training_lowers_the_scores_of_others(detector: Any, world: tuple[Shown, Network]) -> None:
    real, network = world
    before = {name: value.clone() for name, value in network.classifier.network.state_dict().items()}  # type: ignore[attr-defined]
    fitted = detector.DETECTOR.fit(real, network)
    others = shown(network, stripes(100, 3))  # of another seed than those that were trained on
    gap = fitted.score(real).mean() - fitted.score(others).mean()
    untrained = [real.confidences.max(1).mean(), others.confidences.max(1).mean()]
    assert gap > 0.3 > untrained[0] - untrained[1]
    answers = fitted.answers(others)
    assert answers.shape == (100, 4)
    assert (fitted.answers(real).argmax(axis=1) == real.classes).mean() > 0.6
    assert not np.allclose(answers, others.confidences)  # the trained network answers, not the bare one
    after = network.classifier.network.state_dict()  # type: ignore[attr-defined]
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_the_same_seed_trains_the_same_network(world: tuple[Shown, Network]) -> None:
    """A failure costs a resume: the fingerprint of what was searched would be another."""
    real, network = world
    once, again = (outlier_exposure.DETECTOR.fit(real, network).score(real) for _ in range(2))
    assert (once == again).all()


def test_losses_are_those_of_the_papers() -> None:
    real, classes = torch.tensor([[2.0, 0.0, 1.0]]), torch.tensor([0])
    others = torch.tensor([[0.0, 1.0, 5.0], [1.0, 1.0, 1.0]])
    cross = np.log(np.exp([2.0, 0.0, 1.0]).sum()) - 2.0
    lse = [np.log(np.exp(row).sum()) for row in others.double().numpy()]
    expected = cross + 0.5 * np.mean([lse[0] - 2.0, lse[1] - 1.0])
    assert float(outlier_exposure.loss(real, classes, others)) == pytest.approx(expected, rel=1e-6)
    inside = max(0, -(cross + 2.0) + 3) ** 2  # margins of -3 and -4: the energy is -2.41
    outside = np.mean([max(0, -4 + value) ** 2 for value in lse])
    found = float(energy_tuning.loss(real, classes, others, -3.0, -4.0))
    assert found == pytest.approx(cross + 0.1 * (inside + outside), rel=1e-5)
    last = np.mean([cross, lse[0] - 5.0, lse[1] - 1.0])
    assert float(extra_class.loss(real, classes, others)) == pytest.approx(last, rel=1e-6)


def test_an_output_more_changes_no_other(world: tuple[Shown, Network]) -> None:
    real, network = world
    module = copy_of(network)
    extra_class.widened(module, "head")
    images = torch.from_numpy(real.pixels[:5]).permute(0, 3, 1, 2).float() / 255
    with torch.no_grad():
        logits = module(images).numpy()
    assert logits[:, :4] == pytest.approx(real.logits[:5], abs=1e-4)  # type: ignore[index]
    assert (logits[:, 4] == 0).all()
