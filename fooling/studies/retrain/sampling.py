"""Which elites of a run are kept as fooling images.

As in the paper, elites of several generations of a run serve (Nguyen 2015, section 3.7: 20 images of each of 300
runs; section 3.8: 2,000 of each, half of them early, half of the last generation). A run is looked at in evenly spaced
generations. The elites of its end are taken, and as many older ones as are wanted, evenly spread over the order in
which they appeared.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from fooling.store.snapshot import Snapshot
from fooling.store.steps import arrays_of

LOOKS = 10  # at a run, for each archive's worth of images that are wanted of it: elites stay for generations
T = TypeVar("T")


@dataclass(frozen=True)
class SampledRun:
    """What is kept of a run.

    Attributes:
        images: (n, H, W, C) uint8, distinct: elites of classes other than "fooling", in order of appearance.
        generations: (n,) int32, when they appeared.
        elites: (K, H, W, C) uint8, the elite of each class at the end.
        confidences: (K,) float32, those of the elites; 0 where there is none.
        evaluations: () int64, images that the run tried.
        network: () text, the fingerprint of the network that the run was against.
    """

    images: NDArray[np.uint8]
    generations: NDArray[np.int32]
    elites: NDArray[np.uint8]
    confidences: NDArray[np.float32]
    evaluations: NDArray[np.int64]
    network: NDArray[np.str_]


FORM = arrays_of(SampledRun)


class EliteSampler:
    """Collects elites of a run while it goes on: to be passed as its `report`."""

    def __init__(self, classes: int, wanted: int, generations: int) -> None:
        """Collects `wanted` images of the first `classes` classes from a run of so many generations."""
        self._classes, self._wanted = classes, wanted
        looks = min(generations + 1, LOOKS * -(-wanted // classes))
        self._generations = set(np.linspace(0, generations, looks).round().astype(int).tolist())
        self._found: dict[tuple[int, ...], NDArray[np.uint8]] = {}

    def __call__(self, view: Snapshot) -> None:
        if view.generation in self._generations:
            self._look(view)

    def _look(self, view: Snapshot) -> set[tuple[int, ...]]:
        """Keep the elites that are new; returns the ids of all that there are."""
        rows = np.unique(view.stored_rows[: self._classes])
        ids = {tuple(view.archive.ids[row].tolist()): row for row in rows[rows >= 0]}
        for identity in ids.keys() - self._found.keys():
            self._found[identity] = view.archive.pixels[ids[identity]].copy()
        return set(ids)

    def sample(self, view: Snapshot) -> SampledRun:
        """What is kept of the run, which is over."""
        last = self._look(view)
        first = {pixels.tobytes(): identity for identity, pixels in sorted(self._found.items(), reverse=True)}
        distinct = sorted(first.values())
        earlier = [one for one in distinct if one not in last]
        taken = sorted(chosen(earlier, [one for one in distinct if one in last], self._wanted))
        return SampledRun(
            np.stack([self._found[one] for one in taken]),
            np.array([one[0] for one in taken], np.int32),
            view.archive.pixels[view.stored_rows[: self._classes]],
            np.nan_to_num(view.confidence[: self._classes]),
            np.array(view.evaluations, np.int64),
            np.array(view.spec.classifier.fingerprint),
        )


def chosen(earlier: Sequence[T], last: Sequence[T], wanted: int) -> list[T]:
    """At most `wanted` items: the last ones, and earlier ones evenly spread."""
    kept = _evenly(last, wanted)
    return [*_evenly(earlier, wanted - len(kept)), *kept]


def _evenly(items: Sequence[T], count: int) -> list[T]:
    """At most `count` of the items, the first and the last among them."""
    if count >= len(items):
        return list(items)
    return [items[i * (len(items) - 1) // max(1, count - 1)] for i in range(count)]
