"""What is known of each climb, of 8-bit images only: when it first reached what, and its best image."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

# After Nguyen 2015, released code. The first milestone is that the class is top-1.
LEVELS = (0.99, 0.999, 0.9999)
MILESTONES = ("top1", *(f"at_least_{level}" for level in LEVELS))
NEVER = -1


@dataclass
class Records:
    """Of n climbs. A step's number is how many steps the image had taken: 0 is the start itself.

    Attributes:
        first: (n, 4) int32, the first step at each of MILESTONES, -1 where none.
        best_step: (n,) int32, that of the best image, the first of equals; -1 before there is one.
        best_confidence: (n,) float32, of the best image in the climb's class; -1 before there is one.
        best_pixels: (n, H, W, C) uint8.
    """

    first: NDArray[np.int32]
    best_step: NDArray[np.int32]
    best_confidence: NDArray[np.float32]
    best_pixels: NDArray[np.uint8]

    @classmethod
    def empty(cls, count: int, shape: tuple[int, ...]) -> Records:
        """Of climbs that have not begun, with images of this shape."""
        return cls(
            np.full((count, len(MILESTONES)), NEVER, np.int32),
            np.full(count, NEVER, np.int32),
            np.full(count, -1.0, np.float32),
            np.zeros((count, *shape), np.uint8),
        )

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray]) -> Records:
        """Those of a checkpoint's `search` part."""
        return cls(
            *(np.array(arrays[name]) for name in ("first", "best_step", "best_confidence", "best_pixels"))
        )

    def arrays(self) -> dict[str, NDArray]:
        """The attributes by name."""
        return dict(vars(self))

    def extend(self, rows: slice, later: Records) -> None:
        """Take in what the climbs in `rows` did next."""
        first = self.first[rows]
        first[:] = np.where(first == NEVER, later.first, first)
        better = np.flatnonzero(later.best_confidence > self.best_confidence[rows])
        for name in ("best_step", "best_confidence", "best_pixels"):
            getattr(self, name)[rows][better] = getattr(later, name)[better]

    def statistics(self) -> dict[str, Any]:
        """How many climbs there are, and how many have passed each milestone."""
        passed = (self.first != NEVER).sum(axis=0).tolist()
        counts = zip(MILESTONES, passed, strict=True)
        return {"climbs": len(self.first), **{f"climbs_{name}": count for name, count in counts}}
