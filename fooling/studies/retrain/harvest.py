"""Fooling images out of runs: which elites are kept of a run, and the small file that holds them.

As in the paper, elites of several generations of a run serve (Nguyen 2015, section 3.7: 20 images of each of 300
runs; section 3.8: 2,000 of each, half of them early, half of the last generation). A run is looked at evenly often;
the elites of its end are taken, and as many older ones as are wanted, evenly spread over the order in which they
appeared.
"""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from fooling.errors import FoolingError, InvalidError
from fooling.files import replacing
from fooling.store.view import RunView

LOOKS = 10  # at a run, for each archive's worth of images that are wanted of it: elites stay for generations
T = TypeVar("T")


@dataclass(frozen=True)
class Harvest:
    """What is kept of a run.

    Attributes:
        images: (n, H, W, C) uint8, distinct: elites of classes other than "fooling", in order of appearance.
        generations: (n,) int32, when they appeared.
        elites: (K, H, W, C) uint8, the elite of each class at the end.
        confidences: (K,) float32, theirs.
        evaluations: () int64, images that the run tried.
        network: () text, the fingerprint of the network that the run was against.
    """

    images: NDArray[np.uint8]
    generations: NDArray[np.int32]
    elites: NDArray[np.uint8]
    confidences: NDArray[np.float32]
    evaluations: NDArray[np.int64]
    network: NDArray[np.str_]


class Collector:
    """Looks at a run while it goes on: to be passed as its `report`."""

    def __init__(self, classes: int, wanted: int, generations: int) -> None:
        """Collects for `wanted` images of the first `classes` classes, of a run of so many generations."""
        self._classes, self._wanted = classes, wanted
        looks = min(generations + 1, LOOKS * -(-wanted // classes))
        self._generations = set(np.linspace(0, generations, looks).round().astype(int).tolist())
        self._found: dict[tuple[int, ...], NDArray[np.uint8]] = {}

    def __call__(self, view: RunView) -> None:
        if view.generation in self._generations:
            self._look(view)

    def _look(self, view: RunView) -> list[tuple[int, ...]]:
        """Take note of the elites; returns which they are."""
        rows = np.unique(view.stored_rows[: self._classes])
        ids = [tuple(view.archive.ids[row].tolist()) for row in rows[rows >= 0]]
        for row, identity in zip(rows[rows >= 0], ids, strict=True):
            if identity not in self._found:
                self._found[identity] = view.archive.pixels[row].copy()
        return ids

    def harvest(self, view: RunView) -> Harvest:
        """What is kept of the run, which is over."""
        last = set(self._look(view))
        distinct = {
            pixels.tobytes(): identity for identity, pixels in sorted(self._found.items(), reverse=True)
        }
        ordered = sorted(distinct.values())
        earlier, kept = ([one for one in ordered if (one in last) is at_end] for at_end in (False, True))
        taken = sorted(chosen(earlier, kept, self._wanted))
        confidences = np.nan_to_num(view.confidence[: self._classes])
        return Harvest(
            np.stack([self._found[one] for one in taken]),
            np.array([one[0] for one in taken], np.int32),
            view.archive.pixels[view.stored_rows[: self._classes]],
            confidences,
            np.array(view.evaluations, np.int64),
            np.array(view.manifest["classifier"]["fingerprint"]),
        )


def chosen(earlier: Sequence[T], last: Sequence[T], wanted: int) -> list[T]:
    """At most so many: the last ones, and earlier ones evenly spread."""
    kept = _evenly(last, wanted)
    return [*_evenly(earlier, wanted - len(kept)), *kept]


def _evenly(items: Sequence[T], count: int) -> list[T]:
    """At most `count` of the items, the first and the last among them."""
    if count >= len(items):
        return list(items)
    return [items[i * (len(items) - 1) // max(1, count - 1)] for i in range(count)]


def write(path: Path, harvest: Harvest) -> None:
    """Keep it in an .npz, whole or not at all; the same harvest gives the same bytes.

    Raises:
        FoolingError: it can't be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path, durable=True) as file:
            np.savez_compressed(file, **vars(harvest))
    except OSError as error:
        raise FoolingError(f"can't write {path}: {error.strerror or error}") from None


def read(path: Path, network: str) -> Harvest | None:
    """What was kept of a run against a network, given by its fingerprint; None where nothing was.

    Raises:
        InvalidError: the file is damaged, or of a run against another network.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            found = Harvest(**{name: arrays[name] for name in Harvest.__annotations__})
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise InvalidError(
            f"{path}: expected what was kept of a run, found a damaged file ({str(error)[:80]}); remove it, and "
            "that run is done again"
        ) from None
    if str(found.network) != network:
        raise InvalidError(
            f"{path}: expected a run against the network beside it ({network[:12]}), found one against "
            f"{str(found.network)[:12]}; remove the round's folder and those after it, and they are done again"
        )
    return found
