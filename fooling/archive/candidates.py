"""Classified images that may become elites: a chunk's best image for each cell, and what it is called first."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cppn.jit import kernel, readonly
from fooling.archive.nan_images import NanImages

EMPTY = np.float32(-1.0)  # the threshold of a cell without an elite: every image beats it


@dataclass(frozen=True)
class Candidates:
    """Images that may become elites, and the cells that they claim: each cell at most once.

    Attributes:
        ids: (M, 3) int32, each image's generation, stream and child.
        pixels: (M, H, W, C) uint8, what was classified.
        genotypes: a population of M.
        images: (T,) int32, the row above that makes each claim.
        cells: (T,) int32, the cell that is claimed (`fooling.archive.cells`), each at most once.
        confidences: (T,) float32, of the image in the class of the cell.
        top1: (M,) int32, the class that the classifier answers first to each image, -1 where unknown.
        top1_confidence: (M,) float32, of that class; NaN where unknown.
        nan: the images that could not compete, since the classifier has no confidence for them; None where all could.
    """

    ids: NDArray[np.int32]
    pixels: NDArray[np.uint8]
    genotypes: Any
    images: NDArray[np.int32]
    cells: NDArray[np.int32]
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
        bins: NDArray[np.int32] | None = None,
    ) -> Candidates:
        """Of N classified images, those that are the best for a cell and beat its threshold.

        Args:
            ids: (N, 3) int32, ascending by generation, stream, child (of equals, the first counts).
            pixels: (N, H, W, C) uint8: an array, or a tensor on a device, of which only what is kept is
                fetched.
            genotypes: a population of N.
            confidences: (N, K) float32; NaN for an image that has none and wins nothing: an array, or a tensor, which
                is reduced where it is.
            thresholds: of each cell, float32; only higher confidences are kept (default, where a cell is a class: all
                are).
            bins: (N,) int32: which of the cells of each class an image competes for, from 0 on; None where a cell is
                a class.

        Returns:
            The candidates; `NO_CANDIDATES` where no image beats a threshold.
        """
        if thresholds is None:
            thresholds = np.full(confidences.shape[1], EMPTY)
        if bins is None:
            cells, best, values, has_nan = _highest(confidences, thresholds)
        else:
            cells, best, values, has_nan = _highest_of_bins(confidences, thresholds, bins)
        nan = NanImages.among(ids, pixels, confidences) if has_nan else None
        if not len(cells):  # the usual case, once a run has settled: worth being quick about
            return NO_CANDIDATES if nan is None else replace(NO_CANDIDATES, nan=nan)
        rows, images = np.unique(best, return_inverse=True)
        kept = pixels[rows]
        return cls(
            ids[rows],
            kept if isinstance(kept, np.ndarray) else kept.cpu().numpy(),
            genotypes.take(rows),
            images.astype(np.int32),
            cells.astype(np.int32),
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


_Highest = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32], bool]


def _highest(confidences: Any, thresholds: NDArray[np.float32]) -> _Highest:
    """The classes in which the highest of some images' confidences, (N, K), beats the threshold, (K,), ascending; the
    first image that has it; the confidence; and whether some images have none (NaN), which are never the highest."""
    if isinstance(confidences, np.ndarray):
        return _highest_of_array(readonly(confidences), readonly(thresholds))
    highest = confidences.max(dim=0)  # of equals, the first
    values = highest.values.cpu().numpy()
    has_nan = bool(
        np.isnan(values).any()
    )  # a maximum over NaN is NaN, so only then is there anything to look for
    if has_nan:
        highest = confidences.nan_to_num(nan=-np.inf).max(dim=0)
        values = highest.values.cpu().numpy()
    classes = np.flatnonzero(values > thresholds)
    return classes, highest.indices.cpu().numpy()[classes], values[classes], has_nan


def _highest_of_bins(confidences: Any, thresholds: NDArray[np.float32], bins: NDArray[np.int32]) -> _Highest:
    """`_highest` where a class has several cells: the cells, whose thresholds are (C,), in place of the classes."""
    of_class = thresholds.reshape(confidences.shape[1], -1)
    found = []
    for number in np.unique(bins):
        images = np.flatnonzero(bins == number)
        classes, best, values, has_nan = _highest(
            confidences[images], np.ascontiguousarray(of_class[:, number])
        )
        found.append((classes * of_class.shape[1] + number, images[best], values, has_nan))
    cells, best, values = (np.concatenate([part[column] for part in found]) for column in range(3))
    return cells, best, values, any(part[3] for part in found)


@kernel
def _highest_of_array(confidences: NDArray[np.float32], thresholds: NDArray[np.float32]) -> _Highest:
    """`_highest` of an array. One pass over memory in its order for the maxima, one more where any beats; a row of
    NaN begins with NaN."""
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
