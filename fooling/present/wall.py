"""What a wall of elites is drawn from: runs, the classes that their searches are for, and the elites of each run.

The gallery on a disk and the pages of the service give it to the same script.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fooling.confidence import BANDS, VACANT, shortest
from fooling.present.facts import facts

if TYPE_CHECKING:
    from fooling.store.snapshot import Snapshot

_CURVE = ("generation", "evaluations", "min", "median", "max", "at_least_0.99", "at_least_0.9999")
Step = list[float | int | None]
# What a wall calls confidences, and a class without an elite.
WORDS = {"bands": [{"name": band.name, "low": band.low} for band in BANDS], "vacant": VACANT}


def wall(
    views: Sequence[Snapshot], names: Sequence[str], place: Callable[[NDArray[np.uint8]], int]
) -> dict[str, Any]:
    """What the script of a wall of runs is given; `web/gallery.js` says what it makes of it.

    Args:
        names: what to call each run.
        place: called with the pixels of each elite; the number by which the page finds them again.
    """
    classes = _merged_classes(views)
    all_groups = sorted({name for view in views for name in view.groups})
    groups: dict[tuple[int, str], set[int]] = {key: set() for key in classes}
    for view in views:
        for name, members in view.groups.items():
            for index in np.intersect1d(members, view.target_classes).tolist():
                groups[index, view.labels[index]].add(all_groups.index(name))
    return {
        **WORDS,
        "groups": all_groups,
        "classes": [
            {"index": index, "label": label, "groups": sorted(groups[index, label])}
            for index, label in classes
        ],
        "runs": [_run(view, name, classes, place) for view, name in zip(views, names, strict=True)],
    }


def _merged_classes(views: Sequence[Snapshot]) -> dict[tuple[int, str], int]:
    """(index, label) -> position, of every class that any run's search is for: the same class only where both
    agree."""
    keys = sorted({(index, view.labels[index]) for view in views for index in view.target_classes.tolist()})
    return {key: position for position, key in enumerate(keys)}


def _run(
    view: Snapshot,
    name: str,
    classes: dict[tuple[int, str], int],
    place: Callable[[NDArray[np.uint8]], int],
) -> dict[str, Any]:
    confidence, ids = view.confidence, view.ids
    top1, top1_confidence = view.top1, view.top1_confidence
    answers: dict[int, int] = {}  # a class that is some elite's first answer -> its place in a list of them
    elites: list[list[Any] | None] = [None] * len(classes)
    for index, row in enumerate(view.stored_rows):
        if row >= 0:
            answer = int(top1[index])
            first = None if answer < 0 else answers.setdefault(answer, len(answers))
            elites[classes[index, view.labels[index]]] = [
                shortest(confidence[index]),
                *ids[index].tolist(),
                place(view.stored_pixels[row]),
                first,
                _number(top1_confidence[index]),
            ]
    return {
        **head(view, name),
        "answers": [[answer, view.labels[answer]] for answer in answers],
        "elites": elites,
    }


def head(view: Snapshot, name: str) -> dict[str, Any]:
    """A run of a wall, without its elites."""
    return {
        "name": name,
        "status": view.status,
        "facts": facts(view),
        "width": view.stored_pixels.shape[2],
        "height": view.stored_pixels.shape[1],
        "classes": view.statistics.classes,
        "median": _number(view.statistics.median),
        "above": [view.statistics.at_least_99, view.statistics.at_least_9999],
        "top1": view.top1_count,
        "curve": list(steps_of(view.curve)),
    }


def steps_of(rows: Iterable[dict[str, Any]]) -> Iterator[Step]:
    """The columns of `_CURVE`, without the generations in which none of them but the counters moved: the
    curve is a staircase, so nothing is lost."""
    before: Step = []
    skipped: Step = []
    for row in rows:
        values = step_of(row)
        if values[2:] == before:
            skipped = values
            continue
        before, skipped = values[2:], []
        yield values
    if skipped:
        yield skipped


def step_of(record: Mapping[str, Any]) -> Step:
    """The columns of `_CURVE` of a generation."""
    return [_number(record.get(name)) for name in _CURVE]


def _number(value: Any) -> float | int | None:
    if value is None or value != value:
        return None
    return value if isinstance(value, int) else shortest(float(value))
