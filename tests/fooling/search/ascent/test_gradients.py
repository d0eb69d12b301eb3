"""Gradients are right: against finite differences in float64. A wrong one still climbs, only worse, so nobody
would notice that the baseline is weaker than it should be."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from fooling.classifiers import Classifier, Crop, Preprocessing, Resize
from fooling.search.ascent.objective import Objective
from fooling.search.ascent.regularisers import total_variation, variation_gradient

MEAN_IMAGE = np.random.default_rng(1).random((3, 12, 12), np.float32)
PREPROCESSING = {
    "none": {},
    "resize": {"resize": Resize(size=14)},
    "resize, smaller": {"resize": Resize(size=7)},
    "resize, bicubic": {"resize": Resize(size=13, filter="bicubic")},
    "resize, without antialias": {"resize": Resize(size=7, antialias=False)},
    "centre crop": {"crop": Crop(size=8)},
    "ten crops": {"crop": Crop(size=7, views="ten")},
    "resize and ten crops": {"resize": Resize(size=12), "crop": Crop(size=9, views="ten")},
    "normalisation": {"mean": (0.4, 0.5, 0.6), "std": (0.2, 0.3, 0.25)},
    "scale and bgr": {"channels": "bgr", "scale": 1.7, "mean": (0.3, 0.2, 0.1)},
    "mean image": {"mean_image": "mean.npy"},
    "grey input": {"channels": "grey", "std": (0.5,)},
}
OBJECTIVES = [
    ("probability", "logits"),
    ("log-probability", "logits"),
    ("logit", "logits"),
    ("probability", "sigmoid"),
    ("log-probability", "sigmoid"),
    ("logit", "sigmoid"),
    ("probability", "probabilities"),
    ("log-probability", "probabilities"),
    ("probability", "scores"),
    ("log-probability", "scores"),
]
ROWS, TARGETS = 3, torch.tensor([2, 0, 4])


def middling(channels: int) -> Tensor:
    """8-bit images away from black and white, where a resize clips and a difference is one-sided."""
    generator = torch.Generator().manual_seed(9)
    return torch.randint(60, 190, (ROWS, 10, 10, channels), generator=generator, dtype=torch.uint8)


def objective_in_float64(classifier: Classifier, name: str) -> Callable[[Tensor], Tensor]:
    """(ROWS, 10, 10, C) float64 in [0, 1] to (ROWS,): written down anew from the definitions."""
    preprocess = copy.deepcopy(classifier.preprocess).double()
    network = copy.deepcopy(classifier.network).double()
    spec = classifier.spec

    def value(images: Tensor) -> Tensor:
        outputs = network(preprocess(images.permute(0, 3, 1, 2)))
        outputs = outputs.view(len(images), spec.views, -1)
        if name == "logit":
            return outputs.mean(1)[torch.arange(ROWS), TARGETS]
        if spec.output in ("logits", "sigmoid"):
            outputs = outputs.softmax(2) if spec.output == "logits" else outputs.sigmoid()
        confidence = outputs.mean(1)[torch.arange(ROWS), TARGETS]
        return confidence.log() if name == "log-probability" else confidence

    return value


def assert_gradient(value: Callable[[Tensor], Tensor], at: Tensor, gradient: Tensor) -> None:
    """Along random directions and in single genes, each row for itself."""
    generator = torch.Generator().manual_seed(2)
    directions = [torch.randn(at.shape, generator=generator, dtype=torch.float64) for _ in range(4)]
    for gene in torch.randint(at[0].numel(), (4,), generator=generator).tolist():
        single = torch.zeros_like(at)
        single.flatten(1)[:, gene] = 1.0
        directions.append(single)
    size = gradient.double().flatten(1).norm(dim=1)
    for direction in directions:
        step = 1e-4 / direction.abs().max()
        with torch.no_grad():
            difference = (value(at + step * direction) - value(at - step * direction)) / (2 * step)
        found = (gradient.double() * direction).flatten(1).sum(1)
        scale = size * direction.flatten(1).norm(dim=1)
        assert (size > 0).all()
        assert ((found - difference).abs() <= 2e-4 * scale).all(), (found, difference)


@pytest.mark.parametrize("steps", PREPROCESSING.values(), ids=PREPROCESSING.keys())
@pytest.mark.parametrize(("name", "output"), OBJECTIVES)
def test_through_every_preprocessing(name: str, output: str, steps: dict[str, Any], wrap: Any) -> None:
    array = MEAN_IMAGE if "mean_image" in steps else None
    crops = steps.get("crop")
    batch = 40 if crops is not None and crops.views == "ten" else 4
    classifier = wrap(output, batch, preprocessing=Preprocessing(**steps), array=array)
    objective, pixels = Objective(name, output), middling(3)
    confidences, guide = classifier.gradients(pixels, lambda outputs: objective.seeds(outputs, TARGETS))
    confidence = confidences[torch.arange(ROWS), TARGETS]
    gradient = guide * objective.scale(confidence).view(-1, 1, 1, 1)
    assert_gradient(objective_in_float64(classifier, name), pixels.double() / 255, gradient)
    assert np.array_equal(confidences.numpy(), classifier.classify(pixels.numpy()))


def test_a_grey_image_for_a_colour_network(wrap: Any) -> None:
    classifier = wrap(colour="grey", preprocessing=Preprocessing(channels="rgb"))
    objective, pixels = Objective("probability", "logits"), middling(1)
    confidences, guide = classifier.gradients(pixels, lambda outputs: objective.seeds(outputs, TARGETS))
    gradient = guide * confidences[torch.arange(ROWS), TARGETS].view(-1, 1, 1, 1)
    assert_gradient(objective_in_float64(classifier, "probability"), pixels.double() / 255, gradient)


@pytest.mark.parametrize("name", ["probability", "log-probability", "logit"])
def test_what_a_gain_in_probability_takes(name: str, wrap: Any) -> None:
    """`progress` divides by this slope: a wrong one makes every step too long or too short."""
    classifier = wrap()
    objective, pixels = Objective(name, "logits"), middling(3)
    confidences, guide = classifier.gradients(pixels, lambda outputs: objective.seeds(outputs, TARGETS))
    confidence = confidences[torch.arange(ROWS), TARGETS]
    value, guides = (objective_in_float64(classifier, n) for n in ("probability", "log-probability"))
    if name == "logit":
        guides = objective_in_float64(classifier, "logit")
    at = pixels.double() / 255
    generator = torch.Generator().manual_seed(3)
    if name == "logit":  # p also falls with the other logits: hold the slope against one that moves alone
        outputs = torch.randn(ROWS, 1, 5, generator=generator, dtype=torch.float64)
        moved = outputs.clone()
        moved[torch.arange(ROWS), 0, TARGETS] += 1e-6
        p, q = (o.softmax(2)[torch.arange(ROWS), 0, TARGETS] for o in (outputs, moved))
        assert torch.allclose(objective.probability_per_guide(p), (q - p) / 1e-6, rtol=1e-4)
        return
    small = 1e-5 * guide.double() / guide.double().flatten(1).norm(dim=1).view(-1, 1, 1, 1)
    with torch.no_grad():
        gained = value(at + small) - value(at - small)
        climbed = guides(at + small) - guides(at - small)
    assert torch.allclose(objective.probability_per_guide(confidence).double(), gained / climbed, rtol=1e-3)


def test_of_the_total_variation() -> None:
    images = middling(3).double() / 255
    assert_gradient(total_variation, images, variation_gradient(images))


def test_of_the_total_variation_of_a_flat_image() -> None:
    """The square root has no slope at 0: NaN would spread over the image."""
    assert torch.equal(variation_gradient(torch.full((1, 4, 4, 3), 0.5)), torch.zeros(1, 4, 4, 3))


@pytest.mark.parametrize("output", ["logits", "sigmoid", "probabilities"])
def test_a_probability_that_underflows_still_has_a_guide(output: str, wrap: Any) -> None:
    """Where it does not, a saturated softmax holds a climb for ever. Without logits nothing can be done."""
    classifier = wrap(output, gain=3.0)
    with torch.no_grad():
        classifier.network.head.weight.mul_(2000)
        if output == "sigmoid":  # where one class may be near 0 and none near 1
            classifier.network.head.bias.sub_(1e5)
    pixels = middling(3)
    worst = classifier.classify(pixels.numpy()).argmin(1)
    targets = torch.from_numpy(worst)
    objective = Objective("probability", output)
    confidences, guide = classifier.gradients(pixels, lambda outputs: objective.seeds(outputs, targets))
    confidence = confidences[torch.arange(ROWS), targets]
    assert (confidence == 0).all()
    assert objective.vanished(confidence).all() == (output != "probabilities")
    norms = guide.flatten(1).norm(dim=1)
    assert (norms > 1).all() if output != "probabilities" else (norms == 0).all()
    assert torch.equal(objective.scale(confidence), torch.ones(ROWS))
