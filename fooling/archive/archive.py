"""MAP-Elites over classes (Mouret & Clune 2015; Nguyen, Yosinski & Clune 2015, section 2).

The archive has one cell per class and every image competes in all of them. It is a lattice: claims on a
cell are totally ordered (higher confidence, then earlier generation, stream and child), a cell keeps the
least upper bound of all it was offered, and so neither the order of offers nor their grouping matters.
"""

from __future__ import annotations

import copy
import hashlib
import weakref
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fooling.archive.candidates import EMPTY, Candidates, called
from fooling.lending import Loan, lend

_FIELDS = ("confidence", "cell", "ids", "pixels", "top1", "top1_confidence")


def _nobody() -> None:
    """The loan of arrays that nobody keeps."""


class Archive:
    """The elites of K classes, as a struct of arrays.

    An image that is the elite of several classes is stored once: cells point at rows of individuals.

    Attributes:
        confidence: (K,) float32, -1 where a class has no elite yet.
        cell: (K,) int32, the row of each class's elite, -1 where none.
        ids: (K, 3) int32, of each individual: generation, stream, child.
        pixels: (K, H, W, C) uint8, of each individual.
        genotypes: the individuals' genotypes.
        top1: (K,) int32, the class that the classifier answers first to each individual; -1 where unknown.
        top1_confidence: (K,) float32, of that class; NaN where unknown.
    """

    def __init__(self, classes: int, image_shape: tuple[int, ...], genotypes: Any) -> None:
        """`genotypes` is an empty population of the run's encoding; `image_shape` is (H, W, C)."""
        self.confidence = np.full(classes, EMPTY, np.float32)
        self.cell: NDArray[np.int32] = np.full(classes, -1, np.int32)
        self.ids: NDArray[np.int32] = np.full((classes, 3), -1, np.int32)
        self.pixels = np.zeros((classes, *image_shape), np.uint8)  # committed by the system as it is used
        self.genotypes = genotypes
        self.top1: NDArray[np.int32] = np.full(classes, -1, np.int32)
        self.top1_confidence = np.full(classes, np.nan, np.float32)
        self._loan: Callable[[], Loan | None] = _nobody

    def __len__(self) -> int:
        """The number of classes, with an elite or not."""
        return len(self.cell)

    def frozen(self) -> Archive:
        """The archive as it is now, read-only. It costs nothing: only while somebody keeps it, or a view of its arrays,
        does this archive copy what it changes next."""
        loan, twin = self._loan() or Loan(), copy.copy(self)
        for name in _FIELDS:
            setattr(twin, name, lend(getattr(self, name), loan))
        twin.genotypes = self.genotypes.lent(loan)
        self._loan = weakref.ref(loan)
        return twin

    def _end_loan(self) -> None:
        """Leave the arrays that were lent to who keeps them, and go on with copies."""
        if self._loan() is not None:
            self._loan = _nobody
            for name in _FIELDS:
                setattr(self, name, getattr(self, name).copy())
            self.genotypes = self.genotypes.take(np.arange(len(self.genotypes)))

    @property
    def occupied(self) -> NDArray[np.int64]:
        """The classes that have an elite, ascending."""
        return np.flatnonzero(self.cell >= 0)

    @property
    def elite_ids(self) -> NDArray[np.int32]:
        """(K, 3): generation, stream and child of each class's elite; -1 where none."""
        return np.where(self.cell[:, None] >= 0, self.ids[self.cell], np.int32(-1)).astype(np.int32)

    def elite_top1(self) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """What the classifier answers first to each class's elite, and how surely: (K,) each; -1 and NaN where there is
        no elite, or an older checkpoint does not say. An elite is top-1 where that is its own class (`called`).
        """
        held = self.cell >= 0
        top1 = np.where(held, self.top1[self.cell], np.int32(-1))
        confidence = np.where(held, self.top1_confidence[self.cell], np.float32(np.nan))
        return called(np.arange(len(self)), self.confidence, top1, confidence).astype(np.int32), confidence

    def offer(self, *batches: Candidates) -> NDArray[np.int64]:
        """Let candidates compete; the result is the same in whatever order and grouping they come.

        Returns:
            The classes whose elite changed, ascending.
        """
        batches = tuple(batch for batch in batches if len(batch.classes))
        if not batches:
            return np.zeros(0, np.int64)
        confidence, ids = self.confidence.copy(), self.elite_ids
        batch_of = np.full(len(self), -1)
        image_of = np.full(len(self), -1)
        for number, batch in enumerate(batches):
            claims = np.flatnonzero(batch.confidences >= confidence[batch.classes])  # most lose here
            classes, images = batch.classes[claims], batch.images[claims]
            higher = batch.confidences[claims] > confidence[classes]
            wins = higher | _earlier(batch.ids[images], ids[classes])
            won, images = classes[wins], images[wins]
            confidence[won], ids[won] = batch.confidences[claims[wins]], batch.ids[images]
            batch_of[won], image_of[won] = number, images
        changed = np.flatnonzero(batch_of >= 0)
        if not len(changed):
            return changed
        self._end_loan()
        self.confidence = confidence
        self.cell[changed] = -1  # whoever holds no cell any more gives up its row
        starts = np.cumsum([0, *(len(batch.ids) for batch in batches)])
        winners, which = np.unique(starts[batch_of[changed]] + image_of[changed], return_inverse=True)
        self.cell[changed] = self._store(batches, starts, winners)[which]
        return changed

    def _store(
        self, batches: Sequence[Candidates], starts: NDArray[np.int64], winners: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """Put some of the batches' images in rows that no cell points at; all at once, for there may be hundreds of
        batches.

        Args:
            starts: what the numbers of each batch's images begin at.
            winners: the numbers of those to keep, ascending.

        Returns:
            Their rows.
        """
        used = np.zeros(len(self), bool)
        used[self.cell[self.cell >= 0]] = True
        rows = np.flatnonzero(~used)[: len(winners)]
        genotypes = []
        edges = np.searchsorted(winners, starts)
        for batch, start, (low, high) in zip(batches, starts, pairwise(edges), strict=False):
            if low < high:
                images = winners[low:high] - start
                self.ids[rows[low:high]] = batch.ids[images]
                self.pixels[rows[low:high]] = batch.pixels[images]
                self.top1[rows[low:high]] = batch.top1[images]
                self.top1_confidence[rows[low:high]] = batch.top1_confidence[images]
                genotypes.append((batch.genotypes, images))
        self.genotypes = self.genotypes.put(rows, *genotypes)
        return rows

    def elites(self) -> Candidates:
        """All elites as candidates for another archive."""
        classes = self.occupied
        rows, images = np.unique(self.cell[classes], return_inverse=True)
        return Candidates(
            self.ids[rows],
            self.pixels[rows],
            self.genotypes.take(rows),
            images.astype(np.int32),
            classes.astype(np.int32),
            self.confidence[classes],
            self.top1[rows],
            self.top1_confidence[rows],
        )

    def merge(self, other: Archive) -> NDArray[np.int64]:
        """Take in another archive of the same classes: commutative, associative, idempotent.

        Returns:
            The classes whose elite changed.
        """
        return self.offer(other.elites())

    def digest(self) -> str:
        """SHA-256, in hex, of the content: for each class with an elite, ascending: int32 class, float32
        confidence (little-endian), the pixels, the canonical bytes of the genotype."""
        sha = hashlib.sha256()
        for number in self.occupied:
            row = int(self.cell[number])
            sha.update(np.int32(number).astype("<i4").tobytes())
            sha.update(self.confidence[number].astype("<f4").tobytes())
            sha.update(self.pixels[row])
            sha.update(self.genotypes.canonical_bytes(row))
        return sha.hexdigest()

    def arrays(self) -> dict[str, NDArray]:
        """What a checkpoint holds: views, not copies."""
        rows = int(self.cell.max(initial=-1)) + 1
        own: dict[str, NDArray] = {
            "confidence": self.confidence,
            "cell": self.cell,
            "ids": self.ids[:rows],
            "pixels": self.pixels[:rows],
            "top1": self.top1[:rows],
            "top1_confidence": self.top1_confidence[:rows],
        }
        return own | {f"genotypes.{name}": value for name, value in self.genotypes.arrays().items()}

    def restore(self, arrays: Mapping[str, NDArray], genotypes: Any) -> None:
        """The inverse of `arrays`, into an empty archive; `genotypes` is the population of its
        `genotypes.` arrays. `fooling.archive.invariants` says whether they are fit for that."""
        rows = len(arrays["ids"])
        self.confidence[:], self.cell[:] = arrays["confidence"], arrays["cell"]
        self.ids[:rows], self.pixels[:rows] = arrays["ids"], arrays["pixels"]
        for name in ("top1", "top1_confidence"):
            if name in arrays:  # older checkpoints don't know
                getattr(self, name)[:rows] = arrays[name]
        self.genotypes = genotypes


def _earlier(a: NDArray[np.int32], b: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Whether ids a come before ids b, both (T, 3): by generation, then stream, then child."""
    less, equal = a < b, a == b
    return less[:, 0] | (equal[:, 0] & (less[:, 1] | (equal[:, 1] & less[:, 2])))
