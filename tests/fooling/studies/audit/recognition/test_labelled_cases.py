"""The score against cases that anyone can judge. Were it wrong here, the audit would count a drawn zero as a fooling
image, or excuse noise as a digit."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fooling.classifiers import load
from fooling.datasets import idx
from fooling.studies.audit.images import Labelled
from fooling.studies.audit.recognition.panel import Panelist
from fooling.studies.audit.recognition.pictures import LIKE
from fooling.studies.audit.recognition.scoring import Shown, scores_of

PER_CLASS = 100


@pytest.fixture(scope="module")
def scored(assets):
    """The scores of ten digits' worth of: real images, such called something else, noise, black, and the elites of
    `make run`."""
    digits = idx.read_part(assets / "mnist", "test")
    rows = np.concatenate([np.flatnonzero(digits.labels == k)[: 2 * PER_CLASS + 10] for k in range(10)])
    images = Labelled(digits.images[rows], digits.labels[rows])
    place = np.arange(len(rows)) % (2 * PER_CLASS + 10)
    real = images.take(np.flatnonzero(place >= 2 * PER_CLASS))
    strip = np.asarray(Image.open(Path(__file__).with_name("make_run.png")))
    elites = np.stack(np.split(strip, 10, axis=1))[..., None]
    noise = np.random.default_rng(0).integers(0, 256, real.pixels.shape, dtype=np.uint8)
    groups = {
        "real": real,
        "other": Labelled(real.pixels, (real.classes + 1 + np.arange(len(real)) % 9) % 10),
        "noise": Labelled(noise, real.classes),
        "black": Labelled(np.zeros_like(real.pixels), real.classes),
        "make run": Labelled(elites, np.arange(10)),
    }
    shown = Shown.of(
        groups,
        images.take(np.flatnonzero(place < PER_CLASS)),
        images.take(np.flatnonzero((place >= PER_CLASS) & (place < 2 * PER_CLASS))),
    )
    net = load("builtin:lenet-b")
    confidences = net.classify(shown.pixels)
    own = confidences[np.arange(len(shown.classes)), shown.classes]
    first = confidences.argmax(1) == shown.classes
    panel = [Panelist("builtin:lenet-b", own, first, net.features(shown.pixels, net.penultimate))]
    scores = scores_of(shown, panel)
    return {name: scores.score[shown.kinds[name]] for name in groups}


def test_real_digits_look_like_themselves(scored):
    assert np.mean(scored["real"] >= LIKE) >= 0.9


def test_real_digits_do_not_look_like_other_digits(scored):
    assert np.mean(scored["other"] >= LIKE) <= 0.05


@pytest.mark.parametrize("kind", ["noise", "black"])
def test_images_of_nothing_look_like_no_digit(scored, kind):
    """A black image is near to all digits by its pixels, since most of theirs are black: its features tell it."""
    assert np.max(scored[kind]) < LIKE


def test_the_zero_of_the_first_run_looks_like_a_zero_and_most_others_like_no_digit(scored):
    assert scored["make run"][0] >= LIKE
    assert np.sum(scored["make run"] < LIKE) >= 6
    assert scored["make run"][3] == 0  # rings: the elite of 3
