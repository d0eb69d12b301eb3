"""A small experiment for tests: three classes of images that a LeNet learns in a few steps, short runs."""

from __future__ import annotations

from typing import Any

import numpy as np

from fooling.classifiers.samples import Samples
from fooling.studies.retrain.data import Data

LABELS = ("upper", "middle", "lower")
SMALL = ("search.generations=4", "search.population=12", "run.evaluators=1")
PLAN: dict[str, Any] = {
    "rounds": 2, "first": 12, "more": 6, "per_run": 6, "runs": 2, "epochs": 2, "assignments": SMALL,
}  # fmt: skip


def squares(count: int, seed: int) -> Samples:
    """Noisy images with a bright square in one of three places."""
    generator = np.random.default_rng(seed)
    labels = np.arange(count) % len(LABELS)
    images = generator.integers(0, 60, (count, 28, 28, 1), dtype=np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[3 + 8 * label : 9 + 8 * label, 8:20] += 180
    return Samples(images, labels.astype(np.int64))


DATA = Data(squares(240, 0), squares(60, 1), LABELS)
