"""Images that a classifier has no confidence for: it puts out NaN or infinity. They lose, and are told of."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class NanImages:
    """Some of them.

    Attributes:
        ids: (n, 3) int32, ascending: generation, stream and child of each.
        pixels: (H, W, C) uint8, of the first.
    """

    ids: NDArray[np.int32]
    pixels: NDArray[np.uint8]

    @classmethod
    def among(cls, ids: NDArray[np.int32], pixels: Any, confidences: Any) -> NanImages | None:
        """Those of N images whose confidences, (N, K), are NaN in some class; None where there are none.

        Args:
            ids: (N, 3) int32, ascending.
            pixels: (N, H, W, C) uint8: an array, or a tensor, as the confidences are.
        """
        rows = np.flatnonzero(_array(confidences != confidences).any(axis=1))
        return cls(ids[rows], _array(pixels[rows[0]])) if len(rows) else None

    @classmethod
    def joined(cls, parts: Iterable[NanImages | None]) -> NanImages | None:
        """All of them, each once; None where there are none."""
        found = [part for part in parts if part is not None]
        if not found:
            return None
        first = min(found, key=lambda part: part.ids[0].tolist())
        return cls(np.unique(np.concatenate([part.ids for part in found]), axis=0), first.pixels)

    def __len__(self) -> int:
        return len(self.ids)


def _array(values: Any) -> NDArray[Any]:
    return values if isinstance(values, np.ndarray) else values.cpu().numpy()
