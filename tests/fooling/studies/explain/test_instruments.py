"""The white-box instruments: few values, activation maps, mutual information. A failure costs a conclusion that the numbers
do not carry."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.optimize import rosen, rosen_der
from torch import nn

from fooling import classifiers
from fooling.classifiers import Classifier, Spec, from_module
from fooling.studies.explain.cam import activation_map, looked
from fooling.studies.explain.information import information, upper
from fooling.studies.explain.sparse import bfgs, choose, convince, mislead


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(key=seed))


@pytest.fixture(scope="module")
def lenet() -> Classifier:
    return classifiers.load("builtin:lenet")


def test_bfgs_finds_the_end_of_rosenbrock_s_valley() -> None:
    found, calls = bfgs(lambda x: (float(rosen(x)), rosen_der(x)), np.full(10, -0.5))
    assert found == pytest.approx(np.ones(10), abs=1e-4)
    assert calls < 200


def test_a_convex_quadratic_takes_about_as_many_steps_as_it_has_dimensions() -> None:
    root = rng().normal(0, 1, (12, 12))
    curvature, centre = root @ root.T + np.eye(12), rng(1).normal(0, 1, 12)
    found, calls = bfgs(
        lambda x: (float((x - centre) @ curvature @ (x - centre) / 2), curvature @ (x - centre)), np.zeros(12)
    )
    assert found == pytest.approx(centre, abs=1e-3)
    assert calls < 60


def test_the_values_that_matter_are_chosen_and_ties_do_not_wander() -> None:
    worth = np.array([[0.0, 3.0], [3.0, 1.0]])
    assert choose(worth, 2, "most", rng()).tolist() == [1, 2]
    assert choose(worth, 2, "least", rng()).tolist() == [0, 3]
    assert len(set(choose(worth, 3, "random", rng()).tolist())) == 3


def test_a_few_values_of_a_blank_frame_are_enough(lenet: Classifier) -> None:
    """And never more of them change than were asked for."""
    blank = np.zeros(lenet.spec.image_shape, np.uint8)
    few, many = (convince(lenet, blank, 3, values, rng(), steps=40) for values in (10, 60))
    assert few.changed <= 10
    assert many.changed <= 60
    assert few.confidence < many.confidence
    assert many.confidence > 0.9


def test_the_most_attributed_values_are_the_right_ones(lenet: Classifier) -> None:
    """The public code moves the least attributed ones; so it would do worse than chance."""
    blank = np.zeros(lenet.spec.image_shape, np.uint8)
    reached = {
        order: [convince(lenet, blank, target, 25, rng(target), order, 25).confidence for target in (1, 4, 7)]
        for order in ("most", "random", "least")
    }
    assert all(most > least for most, least in zip(reached["most"], reached["least"], strict=True))
    assert np.median(reached["most"]) > np.median(reached["random"])


def test_a_real_image_is_changed_as_little_as_it_takes(lenet: Classifier) -> None:
    image = np.zeros(lenet.spec.image_shape, np.uint8)
    image[4:24, 13:16] = 255  # a one
    label = int(lenet.classify(image[None])[0].argmax())
    found = mislead(lenet, image, label, 60, rng(), steps=60)
    assert found.changed <= 60
    assert found.answer != label
    assert found.distance < 8


def test_an_activation_map_of_global_pooling_is_exact() -> None:
    """Where a mean and a linear layer follow the maps, Grad-CAM is the class activation map (Selvaraju et al. 2017)."""
    torch.manual_seed(3)
    maps, head = nn.Conv2d(1, 5, 3, padding=1), nn.Linear(5, 3)
    network = nn.Sequential(maps, nn.AdaptiveAvgPool2d(1), nn.Flatten(), head).eval()
    classifier = from_module(network, Spec(name="pooled", size=9, colour="grey", labels=("a", "b", "c")))
    image = rng().integers(0, 256, (9, 9, 1), np.uint8)
    layer, found = activation_map(classifier, image, 1) or ("", np.zeros(0))
    with torch.no_grad():
        exact = torch.einsum(
            "c,chw->hw",
            head.weight[1],
            maps(torch.from_numpy(image / 255.0).float().permute(2, 0, 1)[None])[0],
        )
    assert layer == "0"
    assert found == pytest.approx(exact.clamp_min(0).numpy() / 81, abs=1e-5)


def test_a_difference_that_is_spread_evenly_scores_at_chance(lenet: Classifier) -> None:
    image = np.full(lenet.spec.image_shape, 60, np.uint8)
    image[4:24, 13:16] = 190  # a one
    noise = rng(2).integers(-20, 20, image.shape)
    found = looked(lenet, image, (image + noise).astype(np.uint8), 1)
    assert found is not None
    assert found.share == pytest.approx(found.chance, abs=0.12)


def test_the_ceilings_of_information() -> None:
    """Identical rows tell nothing; rows far apart tell which they are."""
    assert upper(np.ones((64, 3))) == pytest.approx(0, abs=1e-9)
    assert upper(np.arange(0.0, 6400.0, 100.0)[:, None]) == pytest.approx(6)


def test_clusters_tell_their_label_and_noise_is_refused() -> None:
    """With the labels in random order clusters tell nothing. Noise in sixteen dimensions seems to tell all of them, and so
    nothing is concluded."""
    labels = np.repeat(np.arange(10), 60)
    centres = rng().normal(0, 20, (10, 4))
    tight = (centres[labels] + rng(1).normal(0, 0.01, (600, 4))).astype(np.float32)
    found = information("tight", tight, labels, rng(2))
    assert found.of_labels == pytest.approx(np.log2(10), abs=0.01)
    assert found.control < 0.15
    assert found.concluded
    assert not found.saturated
    noise = information("noise", rng(3).normal(0, 1, (600, 16)).astype(np.float32), labels, rng(4))
    assert noise.of_labels > 3
    assert noise.saturated
    assert not noise.concluded
