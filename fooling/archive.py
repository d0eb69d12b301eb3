"""MAP-Elites over classes (Mouret & Clune 2015; Nguyen, Yosinski & Clune 2015, section 2).

The archive has one cell per class and every image competes in all of them. It is a lattice: claims on a
cell are totally ordered (higher confidence, then earlier generation, stream and child), a cell keeps the
least upper bound of all it was offered, and so neither the order of offers nor their grouping matters.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cppn.jit import kernel, readonly
from fooling.nan_images import NanImages

EMPTY = np.float32(-1.0)  # the confidence of a cell without an elite: every image beats it


@dataclass(frozen=True)
class Candidates:
    """Images that may become elites, and the cells they claim: at most one claim per class.

    Attributes:
        ids: (M, 3) int32, each image's generation, stream and child.
        pixels: (M, H, W, C) uint8, what was classified.
        genotypes: a population of M.
        images: (T,) int32, the row above that makes each claim.
        classes: (T,) int32, the class claimed, each at most once.
        confidences: (T,) float32.
        top1: (M,) int32, the class that the classifier answers first to each image, -1 where unknown.
        top1_confidence: (M,) float32, of that class; NaN where unknown.
        nan: the images that could not compete, since the classifier has no confidence for them; None where all could.
    """

    ids: NDArray[np.int32]
    pixels: NDArray[np.uint8]
    genotypes: Any
    images: NDArray[np.int32]
    classes: NDArray[np.int32]
    confidences: NDArray[np.float32]
    top1: NDArray[np.int32]
    top1_confidence: NDArray[np.float32]
    nan: NanImages | None = None

    @classmethod
    def best_of(
        cls,
        ids: NDArray[np.int32],
        pixels: Any,
        genotypes: Any,
        confidences: Any,
        thresholds: NDArray[np.float32] | None = None,
    ) -> Candidates:
        """Of N classified images, those that are the best for a class and beat its threshold.

        Args:
            ids: (N, 3) int32, ascending by generation, stream, child (of equals, the first counts).
            pixels: (N, H, W, C) uint8: an array, or a tensor on a device, of which only what is kept is
                fetched.
            genotypes: a population of N.
            confidences: (N, K) float32; NaN for an image that has none and wins nothing: an array, or a tensor, which
                is reduced where it is.
            thresholds: (K,) float32; only higher confidences are kept (default: all are).

        Returns:
            They; `NO_CANDIDATES` where no image beats a threshold.
        """
        if thresholds is None:
            thresholds = np.full(confidences.shape[1], EMPTY)
        if isinstance(confidences, np.ndarray):
            classes, best, values, has_nan = _highest(readonly(confidences), readonly(thresholds))
        else:
            classes, best, values, has_nan = _highest_on_device(confidences, thresholds)
        nan = NanImages.among(ids, pixels, confidences) if has_nan else None
        if not len(classes):  # the usual case, once a run has settled: worth being quick about
            return NO_CANDIDATES if nan is None else replace(NO_CANDIDATES, nan=nan)
        rows, images = np.unique(best, return_inverse=True)
        kept = pixels[rows]
        return cls(
            ids[rows],
            kept if isinstance(kept, np.ndarray) else kept.cpu().numpy(),
            genotypes.take(rows),
            images.astype(np.int32),
            classes.astype(np.int32),
            values,
            *first_answers(confidences[rows]),
            nan,
        )


_NONE = np.zeros(0, np.int32)
NO_CANDIDATES = Candidates(
    _NONE.reshape(0, 3),
    np.zeros((0, 0, 0, 0), np.uint8),
    None,
    _NONE,
    _NONE,
    np.zeros(0, np.float32),
    _NONE,
    np.zeros(0, np.float32),
)


def first_answers(confidences: Any) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """The class of the highest confidence of each of a few images, of equals the first; and that confidence: (M,) each.

    Args:
        confidences: (M, K) float32, finite: an array, or a tensor, which is fetched.
    """
    values = confidences if isinstance(confidences, np.ndarray) else confidences.cpu().numpy()
    first = values.argmax(axis=1)
    return first.astype(np.int32), values[np.arange(len(values)), first]


def called(own: Any, confidence: Any, top1: Any, top1_confidence: Any) -> NDArray[Any]:
    """What a classifier calls each of n images first. Where several classes have the highest confidence, as they may
    where float32 saturates, the class that an image was made for counts as first, and then the lowest.

    Args:
        own: (n,) the class that each image was made for.
        confidence: (n,) of that class; NaN where the classifier does not have it.
        top1, top1_confidence: (n,) each, as of `first_answers`; NaN where they are not known.
    """
    return np.where(np.asarray(confidence) >= np.asarray(top1_confidence), own, top1)


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

    def __len__(self) -> int:
        """The number of classes, with an elite or not."""
        return len(self.cell)

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
        `genotypes.` arrays. `fooling.invariants` says whether they are fit for that."""
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


def _highest_on_device(
    confidences: Any, thresholds: NDArray[np.float32]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32], bool]:
    """`_highest` of a tensor. A maximum over NaN is NaN, so only then is there anything to look for."""
    highest = confidences.max(dim=0)  # of equals, the first
    values = highest.values.cpu().numpy()
    has_nan = bool(np.isnan(values).any())
    if has_nan:
        highest = confidences.nan_to_num(nan=-np.inf).max(dim=0)
        values = highest.values.cpu().numpy()
    classes = np.flatnonzero(values > thresholds)
    return classes, highest.indices.cpu().numpy()[classes], values[classes], has_nan


@kernel
def _highest(
    confidences: NDArray[np.float32], thresholds: NDArray[np.float32]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32], bool]:
    """The classes in which the highest of some confidences beats the threshold, ascending; the first row that has it;
    and it; and whether a row begins with NaN, which is never the highest. One pass over memory in its order for the
    maxima, one more where any beats."""
    rows, columns = confidences.shape
    highest = np.full(columns, -np.inf, confidences.dtype)
    for row in range(rows):
        for column in range(columns):
            if confidences[row, column] > highest[column]:
                highest[column] = confidences[row, column]
    has_nan = False
    for row in range(rows):
        has_nan = has_nan or np.isnan(confidences[row, 0])
    classes = np.flatnonzero(highest > thresholds)
    values, best = highest[classes], np.zeros(len(classes), np.int64)
    for row in range(rows - 1, -1, -1):
        for i in range(len(classes)):
            if confidences[row, classes[i]] == values[i]:
                best[i] = row
    return classes, best, values, has_nan
