"""Shifts and mirror images: the pixels stay the image's own, and chance comes from the generator alone."""

from __future__ import annotations

import numpy as np
import torch

from fooling.training.augmentation import AUGMENTATIONS

crop_flip, shift = AUGMENTATIONS["crop-flip"], AUGMENTATIONS["shift"]
SHIFT = 4


def ramp(count, side=10):
    """Images in which no two pixels are alike, and none is black."""
    pixels = np.arange(1, 1 + side * side, dtype=np.uint8).reshape(1, 1, side, side)
    return torch.from_numpy(pixels).repeat(count, 1, 1, 1)


def variants(image):
    """All that an image (side, side) may become."""
    side = len(image)
    padded = np.pad(image, SHIFT)
    for top in range(2 * SHIFT + 1):
        for left in range(2 * SHIFT + 1):
            cut = padded[top : top + side, left : left + side]
            yield from ((top, left, 0, cut), (top, left, 1, cut[:, ::-1]))


def test_every_image_becomes_one_of_its_shifts_and_mirror_images():
    """Wrapped edges or mixed-up rows would train, and quietly cost accuracy."""
    changed = crop_flip(ramp(400), torch.Generator().manual_seed(0))[:, 0].numpy()
    known = {
        cut.tobytes(): (top, left, mirrored) for top, left, mirrored, cut in variants(ramp(1)[0, 0].numpy())
    }
    found = [known[image.tobytes()] for image in changed]
    tops, lefts, mirrored = zip(*found, strict=True)
    assert set(tops) == set(lefts) == set(range(9))
    assert 150 < sum(mirrored) < 250
    assert len(set(found)) > 120, "top, left and mirrored are drawn independently"


def test_shifts_mirror_nothing():
    """A mirrored digit is none."""
    changed = shift(ramp(400), torch.Generator().manual_seed(0))[:, 0].numpy()
    image = ramp(1)[0, 0].numpy()
    padded = np.pad(image, 2)
    known = {padded[top : top + 10, left : left + 10].tobytes() for top in range(5) for left in range(5)}
    assert {one.tobytes() for one in changed} == known


def test_channels_stay_together_and_shape_and_type_stay():
    images = ramp(5).repeat(1, 3, 1, 1)
    changed = crop_flip(images, torch.Generator().manual_seed(0))
    assert changed.shape == images.shape
    assert changed.dtype == torch.uint8
    assert torch.equal(changed[:, 0], changed[:, 2])


def test_the_same_generator_gives_the_same_images_and_no_other_is_asked():
    """Training repeats bit for bit."""
    state = torch.get_rng_state()
    one, other, third = (crop_flip(ramp(9), torch.Generator().manual_seed(seed)) for seed in (1, 1, 2))
    assert torch.equal(one, other)
    assert not torch.equal(one, third)
    assert torch.equal(torch.get_rng_state(), state)
