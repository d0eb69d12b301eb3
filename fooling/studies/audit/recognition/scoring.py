"""The score of images, from what it is made of: nearness to real images, and other networks' answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fooling.studies.audit.images import Labelled
from fooling.studies.audit.recognition.likeness import Array, directions, flat, shifted, space_of
from fooling.studies.audit.recognition.panel import Panelist

KEPT, HELD = (
    "kept",
    "held",
)  # real images: those that are compared with, those whose distances make the scales
_NAN = np.float32(np.nan)


@dataclass(frozen=True)
class Shown:
    """Images, each for a class, and where each kind of them lies.

    Attributes:
        pixels: (n, H, W, C) uint8.
        classes: (n,) int64.
        kinds: the rows of each kind; `KEPT` and `HELD` come last.
    """

    pixels: NDArray[np.uint8]
    classes: NDArray[np.int64]
    kinds: Mapping[str, slice]

    @classmethod
    def of(cls, groups: Mapping[str, Labelled], kept: Labelled, held: Labelled) -> Shown:
        """Groups behind each other, and the real images behind them."""
        parts = {**groups, KEPT: kept, HELD: held}
        ends = np.cumsum([len(part) for part in parts.values()]).tolist()
        return cls(
            np.concatenate([part.pixels for part in parts.values()]),
            np.concatenate([part.classes for part in parts.values()]),
            {
                name: slice(end - len(part), end)
                for (name, part), end in zip(parts.items(), ends, strict=True)
            },
        )


@dataclass(frozen=True)
class Scores:
    """What the scores of n images are made of; NaN where there is nothing.

    Attributes:
        pixels, features: (n,) nearness, 0 to 1.
        pixel_distance, feature_distance: (n,) from the nearest real image of the class.
        panel: (n,) the mean confidence of the other networks.
        agrees: (n,) how many of them answer the class first.
    """

    pixels: Array
    features: Array
    pixel_distance: Array
    feature_distance: Array
    panel: Array
    agrees: NDArray[np.int64]

    @property
    def score(self) -> Array:
        """(n,) the least of what there is; NaN where neither pixels nor features can tell the class."""
        least = np.fmin(np.fmin(self.pixels, self.features), self.panel)
        return np.where(np.isnan(self.pixels) & np.isnan(self.features), _NAN, least)

    def basis(self, row: int) -> str | None:
        """Which part is the least of an image's score."""
        parts = {"pixels": self.pixels[row], "features": self.features[row], "panel": self.panel[row]}
        known = {name: float(value) for name, value in parts.items() if not np.isnan(value)}
        return min(known, key=lambda name: known[name]) if known.keys() - {"panel"} else None


def scores_of(shown: Shown, panel: Sequence[Panelist]) -> Scores:
    """The scores of all images before the real ones."""
    kept, held, classes = shown.kinds[KEPT], shown.kinds[HELD], shown.classes
    ours = slice(0, kept.start)
    space = space_of(flat(shown.pixels[kept]), classes[kept], shifted(shown.pixels[held]), classes[held])
    pixels, pixel_distance = space.nearness(shifted(shown.pixels[ours]), classes[ours])
    features = feature_distance = np.full(kept.start, _NAN)
    for features_of_all in [one.features for one in panel if one.features is not None][:1]:
        vectors = directions(features_of_all)
        space = space_of(vectors[kept, 0], classes[kept], vectors[held], classes[held])
        features, feature_distance = space.nearness(vectors[ours], classes[ours])
    mean, agrees = _panel(panel, kept.start)
    return Scores(pixels, features, pixel_distance, feature_distance, mean, agrees)


def _panel(panel: Sequence[Panelist], count: int) -> tuple[Array, NDArray[np.int64]]:
    """The mean confidence of the networks that have an image's class, and how many answer it first."""
    total, known = np.zeros(count, np.float32), np.zeros(count, np.float32)
    agrees = np.zeros(count, np.int64)
    for one in panel:
        said = one.confidence[:count]
        known += ~np.isnan(said)
        total += np.nan_to_num(said)
        agrees += one.first[:count]
    return np.where(known > 0, total / np.maximum(known, 1), _NAN), agrees
