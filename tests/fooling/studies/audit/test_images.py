"""The parts of the real images. A failure costs every number of a detector: it would be measured on what it was fitted
to, or on other classes."""

from __future__ import annotations

import numpy as np

from fooling.datasets.samples import Samples
from fooling.studies.audit.images import split


def test_parts_share_no_image_and_have_all_classes() -> None:
    random = np.random.default_rng(0)
    pixels = random.integers(0, 256, (200, 3, 3, 1), np.uint8)
    pixels[150:] = pixels[100:150]  # of fifty images there are two
    found = split(Samples(pixels, np.arange(200) % 5), 7, 1000)
    parts = (found.fit, found.calibration, found.test)
    assert [len(part) for part in parts] == [75, 38, 37]
    seen = [{image.tobytes() for image in part.pixels} for part in parts]
    assert len(set.union(*seen)) == sum(map(len, seen)) == len(found) == 150
    for part in parts:
        counts = np.bincount(part.classes, minlength=5)
        assert counts.max() - counts.min() <= 1
    assert found.doubts == ("50 images are there more than once",)
    assert split(Samples(pixels, np.arange(200) % 5), 7, 1000).digest == found.digest
    assert split(Samples(pixels, np.arange(200) % 5), 8, 1000).digest != found.digest
    assert len(split(Samples(pixels, np.arange(200) % 5), 7, 40)) == 40
