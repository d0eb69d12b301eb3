"""Labelled images in memory: what every reader of this room makes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Samples:
    """Labelled images.

    Attributes:
        images: (n, height, width, channels) uint8.
        labels: (n,) int64, class indices.
        form: what they were read from, in words: "class folders by WordNet id".
        doubts: what looks wrong about them, a line each; they were read all the same.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    form: str = ""
    doubts: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.labels)
