"""A search that is held away must not be shown drawings as fooling images, nor be kept from what does fool."""

from __future__ import annotations

import numpy as np
import pytest

from fooling.classifiers import load
from fooling.datasets import idx
from fooling.studies.audit.recognition.away import away_from_samples


@pytest.fixture(scope="module")
def both(assets):
    """LeNet, the same held away from digits, and real digits of which it is sure."""
    lenet = load("builtin:lenet")
    digits = idx.read_part(assets / "mnist", "test")
    rows = np.flatnonzero(lenet.classify(digits.images[:300]).max(1) >= 0.99)[:100]
    return lenet, away_from_samples(lenet, assets / "mnist", most=1000), digits.images[rows]


def test_real_digits_are_no_fooling_images(both):
    lenet, away, digits = both
    sure = lenet.classify(digits).argmax(1)
    held = away.classify(digits)[np.arange(len(digits)), sure]
    assert np.mean(held < 0.5) > 0.7


def test_what_does_not_look_like_the_class_is_answered_bit_for_bit(both):
    lenet, away, _ = both
    noise = np.random.default_rng(0).integers(0, 256, (40, 28, 28, 1), dtype=np.uint8)
    assert np.array_equal(away.classify(noise), lenet.classify(noise))


def test_it_is_another_classifier_and_the_same_each_time(both, assets):
    lenet, away, digits = both
    assert away.fingerprint != lenet.fingerprint
    assert away_from_samples(lenet, assets / "mnist", most=1000).fingerprint == away.fingerprint
    assert np.array_equal(away.classify(digits[:7]), away.classify(digits)[:7])
