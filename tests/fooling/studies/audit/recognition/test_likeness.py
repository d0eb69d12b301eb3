"""Nearness is what the score of recognisability rests on: a wrong distance, or a scale that moves, and the audit calls
plain digits fooling images, or fooling images digits."""

import numpy as np
import pytest

from fooling.studies.audit.recognition import likeness
from fooling.studies.audit.recognition.likeness import (
    Scale,
    coarse,
    directions,
    flat,
    nearest,
    shifted,
    space_of,
)


@pytest.fixture
def random():
    return np.random.default_rng(0)


def test_nearest_is_the_least_root_mean_square_over_copies_and_bank(random):
    vectors, bank = random.random((70, 3, 5), np.float32), random.random((4, 5), np.float32)
    plain = np.sqrt(((vectors[:, :, None] - bank) ** 2).mean(-1)).min((1, 2))
    np.testing.assert_allclose(nearest(vectors, bank), plain, atol=1e-5)


def test_an_image_that_was_shifted_by_two_pixels_is_as_near_as_it_was(random):
    """Otherwise a digit that stands elsewhere would be no digit."""
    image = np.zeros((1, 12, 12, 1), np.uint8)
    image[0, 4:8, 4:8] = 255
    moved = np.roll(image, (2, -2), (1, 2))
    far = np.roll(image, 3, 1)
    assert nearest(shifted(moved), flat(image))[0] < 1e-4 < nearest(shifted(far), flat(image))[0]


def test_large_images_are_compared_as_means_over_blocks(random):
    pixels = random.integers(0, 256, (2, 65, 64, 3), dtype=np.uint8)
    found = coarse(pixels)
    assert found.shape == (2, 21, 21, 3)
    np.testing.assert_allclose(found[1, 2, 3], pixels[1, 6:9, 9:12].mean((0, 1)) / 255, rtol=1e-5)


def test_nearness_is_one_up_to_near_none_from_far_and_straight_between():
    scale = Scale(np.zeros(1, np.float32), 1.0, 3.0)
    given = np.array([0, 1, 1.5, 2, 3, 9], np.float32)
    np.testing.assert_allclose(scale.nearness(given), [1, 1, 0.75, 0.5, 0, 0])


def _two_classes(random, apart):
    classes = np.arange(80) % 2
    vectors = random.normal(0, 0.1, (80, 6)).astype(np.float32)
    vectors[:, 0] += apart * classes
    return vectors, classes


def test_real_images_are_near_their_class_and_far_from_others(random):
    kept, kept_classes = _two_classes(random, 3)
    held, held_classes = _two_classes(random, 3)
    space = space_of(kept, kept_classes, held[:, None], held_classes)
    again, classes = _two_classes(random, 3)
    own, _ = space.nearness(again[:, None], classes)
    other, _ = space.nearness(again[:, None], 1 - classes)
    assert np.mean(own > 0.9) > 0.85
    assert other.max() < 0.6


def test_a_space_that_does_not_tell_a_class_from_others_says_nothing_of_it(random):
    """Photographs compared by pixels: any grey image is near to all of them."""
    kept, kept_classes = _two_classes(random, 0)
    held, held_classes = _two_classes(random, 0)
    space = space_of(kept, kept_classes, held[:, None], held_classes)
    near, distance = space.nearness(kept[:3, None], kept_classes[:3])
    assert not space.scales
    assert np.isnan(near).all()
    assert np.isnan(distance).all()


def test_a_class_of_few_real_images_has_no_scale(random):
    kept, kept_classes = _two_classes(random, 3)
    few = kept_classes == 0
    few[: -2 * (likeness.LEAST - 1)] = False
    rows = few | (kept_classes == 1)
    space = space_of(kept[rows], kept_classes[rows], kept[:, None], kept_classes)
    assert list(space.scales) == [1]


def test_features_are_compared_by_their_direction_and_zeros_are_no_nan():
    found = directions(np.array([[3, 4], [30, 40], [0, 0]], np.float32))
    np.testing.assert_allclose(found[:, 0], np.array([[0.6, 0.8], [0.6, 0.8], [0, 0]]), rtol=1e-6)
