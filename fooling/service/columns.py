"""A run's elites as columns: all classes in one answer, which a page of 21,843 of them fetches whenever there is a newer
checkpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fooling.confidence import shortest
from fooling.service.schema import Columns

if TYPE_CHECKING:
    from fooling.store.snapshot import Snapshot


def columns(view: Snapshot) -> Columns:
    """The elites of the classes that the search is for, ascending; null stands where there is none."""
    classes = view.target_classes
    held, ids = view.occupied[classes], view.ids[classes]
    top1 = view.top1[classes]
    return Columns(
        generation=int(view.counters.generation),
        classes=classes.tolist(),
        confidence=_where(held, map(shortest, view.confidence[classes].tolist())),
        found=_where(held, ids[:, 0].tolist()),
        stream=_where(held, ids[:, 1].tolist()),
        child=_where(held, ids[:, 2].tolist()),
        top1=_where(top1 >= 0, top1.tolist()),
        top1_confidence=_where(top1 >= 0, map(shortest, view.top1_confidence[classes].tolist())),
    )


def _where(held: NDArray[np.bool_], values: Any) -> list[Any]:
    return [value if there else None for there, value in zip(held.tolist(), values, strict=True)]
