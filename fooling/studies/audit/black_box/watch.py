"""What a service might notice of a search: queries that are nearly copies of earlier ones, and unusually low margins."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cppn.jit import kernel, readonly

# Blacklight (Li et al. 2022): windows of so many values, quantised by steps of so many levels, of which so many hashes are
# kept; queries that share so many are near copies. The numbers are those for small images.
WINDOW, LEVELS, KEPT, SHARED = 20, 50, 50, 25
# Margins: an image is doubtful below the margin that this share of real images has; a service looks at so many queries at a
# time, and gives alarm where so many doubtful ones would come by chance once in a million looks.
DOUBTFUL, LOOK, CHANCE, LEAST = 0.05, 100, 1e-6, 10

_NONE = np.uint64(2**64 - 1)


def fingerprints(images: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """(n, 50) uint64, ascending: the lowest different hashes of the windows of each image; filled up with the largest
    number where there are fewer.

    Blacklight hashes each window of consecutive values with salted SHA-256. Here each is hashed to 64 bits (FNV-1a and a
    finaliser), which collide by chance as rarely as matters here.
    """
    flat = np.ascontiguousarray(images).reshape(len(images), -1)
    found = np.full((len(images), KEPT), _NONE)
    for row, values in enumerate(flat):
        lowest = np.unique(_windows(readonly(values)))[:KEPT]
        found[row, : len(lowest)] = lowest
    return found


@kernel
def _windows(values: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """A hash of each window of an image's values."""
    count = max(1, len(values) - WINDOW + 1)
    found = np.empty(count, np.uint64)
    for start in range(count):
        mixed = np.uint64(0xCBF29CE484222325)
        for place in range(start, min(start + WINDOW, len(values))):
            mixed = (mixed ^ np.uint64(values[place] // LEVELS)) * np.uint64(0x100000001B3)
        mixed = (mixed ^ (mixed >> np.uint64(33))) * np.uint64(0xFF51AFD7ED558CCD)
        mixed = (mixed ^ (mixed >> np.uint64(33))) * np.uint64(0xC4CEB9FE1A85EC53)
        found[start] = mixed ^ (mixed >> np.uint64(33))
    return found


def near_copies(prints: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """(n,) bool: whether each query is nearly a copy of an earlier one.

    Args:
        prints: (n, 50) uint64, of `fingerprints`, in the order of the queries.
    """
    hashes, numbers = np.unique(prints, return_inverse=True)
    numbers = np.where(prints == _NONE, -1, numbers.reshape(prints.shape))
    found: NDArray[np.bool_] = _near_copies(readonly(numbers.astype(np.int64)), len(hashes))
    return found


@kernel
def _near_copies(numbers: NDArray[np.int64], hashes: int) -> NDArray[np.bool_]:
    """The same of hashes numbered from 0 on, -1 where there are fewer. Each hash knows the queries that had it so far."""
    count, kept = numbers.shape
    starts = np.zeros(hashes + 1, np.int64)
    for query in range(count):
        for place in range(kept):
            if numbers[query, place] >= 0:
                starts[numbers[query, place] + 1] += 1
    starts = np.cumsum(starts)
    ends, having = starts[:-1].copy(), np.empty(starts[-1], np.int64)
    shared, of = np.zeros(count, np.int64), np.full(count, -1, np.int64)
    found = np.zeros(count, np.bool_)
    for query in range(count):
        for place in range(kept):
            number = numbers[query, place]
            if number < 0:
                continue
            for position in range(starts[number], ends[number]):
                if found[query]:
                    break
                earlier = having[position]
                shared[earlier] = shared[earlier] + 1 if of[earlier] == query else 1
                of[earlier] = query
                found[query] = shared[earlier] >= SHARED
            having[ends[number]] = query
            ends[number] += 1
    return found


def margins(confidences: NDArray[np.float32]) -> NDArray[np.float64]:
    """(n,) float64: the highest confidence less the second; of a single class, how far it is from undecided, doubled."""
    values = confidences.astype(np.float64)
    if values.shape[1] == 1:
        undecided: NDArray[np.float64] = np.abs(values[:, 0] - 0.5) * 2
        return undecided
    ordered = np.partition(values, -2, axis=1)
    difference: NDArray[np.float64] = ordered[:, -1] - ordered[:, -2]
    return difference


def doubtful_below(real: NDArray[np.float64]) -> float:
    """The margin below which an image is doubtful.

    Args:
        real: of real images that are used for nothing else.
    """
    return float(np.quantile(real, DOUBTFUL))


def low_margins(found: Sequence[float], bound: float) -> NDArray[np.bool_]:
    """(n,) bool: whether there are suspiciously many doubtful images among the last hundred queries, at each query.

    Args:
        found: the margins of the queries, in their order.
        bound: what `doubtful_below` gives.
    """
    from scipy.stats import binom

    low = np.cumsum([0, *(np.asarray(found) < bound)])
    ends = np.arange(1, len(found) + 1)
    starts = np.maximum(0, ends - LOOK)
    looks = ends - starts
    most = binom.isf(CHANCE, looks, DOUBTFUL)
    alarms: NDArray[np.bool_] = (low[ends] - low[starts] > most) & (looks >= LEAST)
    return alarms


def first_of(alarms: NDArray[np.bool_]) -> int | None:
    """The number of the first query with an alarm, from 1 on; None: no alarm."""
    found = np.flatnonzero(alarms)
    return int(found[0]) + 1 if len(found) else None
