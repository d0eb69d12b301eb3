"""MAP-Elites (Mouret & Clune 2015) over the classes of a classifier (Nguyen, Yosinski & Clune 2015, section 2).

The archive keeps the best image of each cell, and every image competes for a cell of every class. It is a lattice:
claims on a cell are totally ordered (higher confidence, then earlier generation, stream and child), a cell keeps the
least upper bound of all claims that it was offered, and so neither the order of offers nor their grouping matters.
"""

from __future__ import annotations

import copy
import hashlib
import weakref
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cppn.jit import readonly
from fooling.archive.candidates import EMPTY, Candidates, called
from fooling.archive.cells import Cells
from fooling.lending import Loan, lend


def _nobody() -> None:
    """The loan of arrays that nobody keeps."""


class Field(NamedTuple):
    """A number, or an array of numbers, that the archive keeps of each individual.

    Attributes:
        shape: of one individual's.
        dtype: of the numbers.
        unknown: what stands in a row without an individual.
    """

    shape: tuple[int, ...]
    dtype: Any
    unknown: float

    def rows(self, count: int) -> NDArray[Any]:
        """Rows without individuals: (count, *shape)."""
        shape = (count, *self.shape)
        # The operating system commits the memory of zeros only where it is written to.
        return np.full(shape, self.unknown, self.dtype) if self.unknown else np.zeros(shape, self.dtype)


class Archive:
    """The elites of C cells, as a struct of arrays.

    An image that is the elite of several cells is stored once, as an individual: cells point at rows of individuals.

    Attributes:
        cells: what the cells are.
        thresholds: (C,) float32, read-only: the confidence of each cell's elite, which a candidate has to beat; -1,
            which every image beats, where there is no elite.
        rows: (C,) int32, read-only: the row of each cell's elite among the individuals, -1 where there is no elite.
        fields: what is kept of each individual besides its genotype: the names and kinds of the next four arrays.
        ids: (C, 3) int32: generation, stream, child.
        pixels: (C, H, W, C') uint8.
        top1: (C,) int32, the class that the classifier answers first to the image; -1 where unknown.
        top1_confidence: (C,) float32, of that class; NaN where unknown.
        genotypes: the individuals' genotypes.
    """

    ids: NDArray[np.int32]
    pixels: NDArray[np.uint8]
    top1: NDArray[np.int32]
    top1_confidence: NDArray[np.float32]

    def __init__(self, cells: Cells, image_shape: tuple[int, ...], genotypes: Any) -> None:
        """`genotypes` is an empty population of the run's encoding; `image_shape` is (H, W, C')."""
        self.cells, self.genotypes = cells, genotypes
        self.thresholds = readonly(np.full(len(cells), EMPTY, np.float32))
        self.rows = readonly(np.full(len(cells), -1, np.int32))
        self.fields = {
            "ids": Field((3,), np.int32, -1),
            "pixels": Field(image_shape, np.uint8, 0),
            "top1": Field((), np.int32, -1),
            "top1_confidence": Field((), np.float32, np.nan),
        }
        for name, field in self.fields.items():
            setattr(self, name, field.rows(len(cells)))
        self._loan: Callable[[], Loan | None] = _nobody

    def __len__(self) -> int:
        """The number of cells, with an elite or not."""
        return len(self.rows)

    @property
    def confidence(self) -> NDArray[np.float32]:
        """(C,) float32: the confidence of each cell's elite, NaN where there is none."""
        return np.where(self.rows >= 0, self.thresholds, np.float32(np.nan))

    def frozen(self) -> Archive:
        """The archive as it is now, read-only. It costs nothing: only while somebody keeps it, or a view of its arrays,
        does this archive copy what it changes next."""
        loan, twin = self._loan() or Loan(), copy.copy(self)
        for name in self.fields:
            setattr(twin, name, lend(getattr(self, name), loan))
        twin.genotypes = self.genotypes.lent(loan)
        self._loan = weakref.ref(loan)
        return twin

    def _end_loan(self) -> None:
        """Leave the arrays that were lent to who keeps them, and go on with copies."""
        if self._loan() is not None:
            self._loan = _nobody
            for name in self.fields:
                setattr(self, name, getattr(self, name).copy())
            self.genotypes = self.genotypes.take(np.arange(len(self.genotypes)))

    @property
    def occupied(self) -> NDArray[np.int64]:
        """The cells that have an elite, ascending."""
        return np.flatnonzero(self.rows >= 0)

    @property
    def elite_ids(self) -> NDArray[np.int32]:
        """(C, 3): generation, stream and child of each cell's elite; -1 where there is none."""
        return np.where(self.rows[:, None] >= 0, self.ids[self.rows], np.int32(-1)).astype(np.int32)

    def elite_top1(self) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """The class that the classifier answers first to each cell's elite, and its confidence: (C,) each; -1 and NaN
        where there is no elite, or an older checkpoint does not say. An elite is top-1 where that is the cell's class
        (`called`).
        """
        held = self.rows >= 0
        top1 = np.where(held, self.top1[self.rows], np.int32(-1))
        confidence = np.where(held, self.top1_confidence[self.rows], np.float32(np.nan))
        return called(self.cells.classes, self.thresholds, top1, confidence).astype(np.int32), confidence

    def offer(self, *batches: Candidates) -> NDArray[np.int64]:
        """Let candidates compete; the result is the same in whatever order and grouping they come.

        Returns:
            The cells whose elite changed, ascending.
        """
        batches = tuple(batch for batch in batches if len(batch.cells))
        if not batches:
            return np.zeros(0, np.int64)
        thresholds, ids = self.thresholds.copy(), self.elite_ids
        batch_of = np.full(len(self), -1)
        image_of = np.full(len(self), -1)
        for number, batch in enumerate(batches):
            claims = np.flatnonzero(batch.confidences >= thresholds[batch.cells])  # most lose here
            cells, images = batch.cells[claims], batch.images[claims]
            higher = batch.confidences[claims] > thresholds[cells]
            wins = higher | _earlier(batch.ids[images], ids[cells])
            won, images = cells[wins], images[wins]
            thresholds[won], ids[won] = batch.confidences[claims[wins]], batch.ids[images]
            batch_of[won], image_of[won] = number, images
        changed = np.flatnonzero(batch_of >= 0)
        if not len(changed):
            return changed
        starts = np.cumsum([0, *(len(batch.ids) for batch in batches)])
        winners, which = np.unique(starts[batch_of[changed]] + image_of[changed], return_inverse=True)
        rows = self.rows.copy()
        rows[changed] = -1  # an individual that is no cell's elite any more gives up its row
        free = np.ones(len(self), bool)
        free[rows[rows >= 0]] = False
        places = np.flatnonzero(free)[: len(winners)]
        self._end_loan()
        self._store(batches, starts, winners, places)
        rows[changed] = places[which]
        self.thresholds, self.rows = readonly(thresholds), readonly(rows)
        return changed

    def _store(
        self,
        batches: Sequence[Candidates],
        starts: NDArray[np.int64],
        winners: NDArray[np.int64],
        rows: NDArray[np.int64],
    ) -> None:
        """Put some of the batches' images in rows; all at once, for there may be hundreds of batches.

        Args:
            starts: the number of each batch's first image, where the images of all batches are numbered in turn.
            winners: the numbers of the images to keep, ascending.
            rows: where they are to be kept.
        """
        genotypes = []
        edges = np.searchsorted(winners, starts)
        for batch, start, (low, high) in zip(batches, starts, pairwise(edges), strict=False):
            if low < high:
                images = winners[low:high] - start
                for name in self.fields:
                    getattr(self, name)[rows[low:high]] = getattr(batch, name)[images]
                genotypes.append((batch.genotypes, images))
        self.genotypes = self.genotypes.put(rows, *genotypes)

    def elites(self) -> Candidates:
        """All elites as candidates for another archive."""
        cells = self.occupied
        rows, images = np.unique(self.rows[cells], return_inverse=True)
        return Candidates(
            **{name: getattr(self, name)[rows] for name in self.fields},
            genotypes=self.genotypes.take(rows),
            images=images.astype(np.int32),
            cells=cells.astype(np.int32),
            confidences=self.thresholds[cells],
        )

    def merge(self, other: Archive) -> NDArray[np.int64]:
        """Take in another archive of the same cells: commutative, associative, idempotent.

        Returns:
            The cells whose elite changed.
        """
        return self.offer(other.elites())

    def digest(self) -> str:
        """SHA-256, in hex, of the content: for each cell with an elite, ascending: int32 class (and bin along each
        measure, where there are measures), float32 confidence (little-endian), the pixels, the canonical bytes of the
        genotype."""
        sha = hashlib.sha256()
        for cell in self.occupied:
            row = int(self.rows[cell])
            sha.update(self.cells.index[cell].astype("<i4").tobytes())
            sha.update(self.thresholds[cell].astype("<f4").tobytes())
            sha.update(self.pixels[row])
            sha.update(self.genotypes.canonical_bytes(row))
        return sha.hexdigest()

    def arrays(self) -> dict[str, NDArray]:
        """What a checkpoint holds: views, not copies."""
        count = int(self.rows.max(initial=-1)) + 1
        own: dict[str, NDArray] = {"confidence": self.thresholds, "cell": self.rows}
        own |= {name: getattr(self, name)[:count] for name in self.fields}
        return own | {f"genotypes.{name}": value for name, value in self.genotypes.arrays().items()}

    def restore(self, arrays: Mapping[str, NDArray], genotypes: Any) -> None:
        """The inverse of `arrays`, into an empty archive; `genotypes` is the population of the `genotypes.` arrays.
        `fooling.archive.invariants` says whether they are fit for that."""
        self.thresholds, self.rows = (readonly(arrays[name].copy()) for name in ("confidence", "cell"))
        for name in self.fields:
            if name not in arrays:  # older checkpoints do not hold all
                continue
            if isinstance(arrays[name], np.ndarray):
                getattr(self, name)[: len(arrays[name])] = arrays[name]
            else:  # it stays where it is, to be read row by row: such an archive is only looked at
                setattr(self, name, arrays[name])
        self.genotypes = genotypes


def _earlier(a: NDArray[np.int32], b: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Whether ids a come before ids b, both (T, 3): by generation, then stream, then child."""
    less, equal = a < b, a == b
    return less[:, 0] | (equal[:, 0] & (less[:, 1] | (equal[:, 1] & less[:, 2])))
