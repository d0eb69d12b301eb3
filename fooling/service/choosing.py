"""Which elites a list shows, and in which order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fooling.errors import did_you_mean
from fooling.service.problems import ProblemError
from fooling.text import plain

if TYPE_CHECKING:
    from fooling.store.snapshot import Snapshot


@dataclass(frozen=True)
class Choice:
    """What is asked for.

    Attributes:
        classes: only these; empty: all.
        label: text that is in the label, upper and lower case alike.
        group: the name of one of the classifier's groups.
        min_confidence: only elites of at least this confidence.
        sort: class, confidence, generation or label; with "-" before it, falling.
    """

    classes: tuple[int, ...] = ()
    label: str = ""
    group: str | None = None
    min_confidence: float = 0.0
    sort: str = "class"


def chosen(view: Snapshot, choice: Choice) -> NDArray[np.int64]:
    """The classes of the elites that are asked for, in order; equals are in the order of their classes.

    Raises:
        ProblemError: 422: there is no such group.
    """
    passing = view.occupied & (view.confidence >= np.float32(choice.min_confidence))
    if choice.classes:
        passing &= _members(len(view.labels), choice.classes)
    if choice.group is not None:
        if choice.group not in view.groups:
            near = did_you_mean(choice.group, view.groups)
            raise ProblemError(
                422, f"group: this run's classifier has none named {plain(choice.group)}{near}"
            )
        passing &= _members(len(view.labels), view.groups[choice.group])
    numbers = np.flatnonzero(passing)
    if choice.label:
        wanted = choice.label.casefold()
        numbers = np.array([n for n in numbers.tolist() if wanted in view.labels[n].casefold()], np.int64)
    name, falls = choice.sort.removeprefix("-"), choice.sort.startswith("-")
    keys = _keys(view, name, numbers)
    return numbers[np.argsort(-keys if falls else keys, kind="stable")]


def _keys(view: Snapshot, name: str, numbers: NDArray[np.int64]) -> NDArray:
    """What is compared, of each of these classes: numbers, so that rising and falling are each other's reverse."""
    if name == "confidence":
        return view.confidence[numbers].astype(np.float64)
    if name == "generation":
        return view.ids[numbers, 0].astype(np.float64)
    if name == "label":
        ranks = {label: rank for rank, label in enumerate(sorted({view.labels[n] for n in numbers.tolist()}))}
        return np.array([ranks[view.labels[n]] for n in numbers.tolist()], np.float64)
    return numbers.astype(np.float64)


def _members(count: int, classes: tuple[int, ...] | list[int]) -> NDArray[np.bool_]:
    found = np.zeros(count, np.bool_)
    found[[number for number in classes if 0 <= number < count]] = True
    return found
