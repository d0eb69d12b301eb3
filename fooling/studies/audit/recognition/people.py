"""What people named elites on the blind page: a share by image, where enough of them answered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from fooling.errors import FoolingError
from fooling.store import people
from fooling.studies.recognition.statistics import judgements

ENOUGH = 3  # answers about an image


def shares_of(run: Path, labels: Sequence[str]) -> dict[str, tuple[float, int]]:
    """By the image's digest (the first 32 hex digits of the SHA-256 of its pixels): the share of answers that name its
    class, and how many there are. Only answers to "which class is it, or nothing?" count: of two labels that are offered,
    one is right by chance. A file that can't be read counts for nothing."""
    try:
        told, _ = judgements(people.read(run, len(labels)), labels)
    except FoolingError:
        return {}
    naming = [one for one in told if one.mode == "naming" and not one.real]
    counts = Counter(one.image for one in naming)
    right = Counter(one.image for one in naming if one.right)
    return {image: (right[image] / count, count) for image, count in counts.items()}
