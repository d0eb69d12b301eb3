"""Which elites a page shows, and their PNGs: few, so that a report stays small, and whole, so that it needs no run."""

from __future__ import annotations

import base64
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fooling.store.elites import SMALL, encode
from fooling.studies.audit.recognition.result import Look

LIKE = 0.5  # from this score on, an image looks like its class
CLASSES = 24  # of which an image is kept: one that fools, where there is one
MOST_LIKE = 12  # of the images that look most like their class, besides
_BYTES = 200_000  # of a PNG, at most


def pictured(looks: Sequence[Look], pixels: NDArray[np.uint8]) -> tuple[Look, ...]:
    """The same looks, some of them with their images.

    Args:
        pixels: (n, H, W, C) uint8, the image of each look.
    """
    chosen = {*foolers(looks), *likest(looks)}
    found = []
    for row, look in enumerate(looks):
        png = encode(pixels[row], level=SMALL) if row in chosen else b""
        kept = png if len(png) <= _BYTES else b""
        found.append(look.model_copy(update={"png": base64.b64encode(kept).decode("ascii") or None}))
    return tuple(found)


def foolers(looks: Sequence[Look]) -> list[int]:
    """For each of some classes, the elite that fools best: of those with the highest confidence, the one that looks
    least like its class. Where there are many classes, those of the highest confidence."""
    best: dict[int, int] = {}
    for row, look in enumerate(looks):
        before = best.get(look.number)
        if before is None or _strength(look) > _strength(looks[before]):
            best[look.number] = row
    surest = sorted(best.values(), key=lambda row: -looks[row].confidence)[:CLASSES]
    return sorted(surest, key=lambda row: looks[row].number)


def likest(looks: Sequence[Look]) -> list[int]:
    """The elites that look most like their class, the likest first."""
    like = [row for row, look in enumerate(looks) if look.score is not None and look.score >= LIKE]
    return sorted(like, key=lambda row: -(looks[row].score or 0.0))[:MOST_LIKE]


def _strength(look: Look) -> tuple[bool, float, float]:
    """What makes an image the better fooler: to be sure, then not to look like its class, then to be surer."""
    return look.confidence >= 0.99, -(look.score or 0.0), look.confidence
