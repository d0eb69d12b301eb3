"""How a run's confidences rose, class by class, against forward passes and against time.

The log's `gains` say which classes rose at each step. A class's trajectory is a staircase; the run's is the
median over classes. A search that takes one class after the other (its log names the `class` of each step)
is read as if all had gone side by side, a step of each at a time: they don't depend on each other, and at each
total cost every class has had its share. Otherwise the last classes would count as 0 for most of the run.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fooling.errors import InvalidError

_Cost = tuple[float, float]  # passes and seconds
_Step = tuple[_Cost, int | None, list[list[float]]]  # so far; whose turn it was; what rose


@dataclass(frozen=True)
class StepFunction:
    """A class's confidence over the run: from each cost on, what it was.

    Attributes:
        passes: (n,) float64, ascending: what the whole run had spent.
        seconds: (n,) float64.
        confidence: (n,) float64, ascending.
    """

    passes: NDArray[np.float64]
    seconds: NDArray[np.float64]
    confidence: NDArray[np.float64]

    def at(self, costs: NDArray[np.float64], cost: str = "passes") -> NDArray[np.float64]:
        """The confidence at each of some costs, of "passes" or "seconds"; 0 before the first elite."""
        steps = np.searchsorted(getattr(self, cost), costs, side="right")
        return np.concatenate([[0.0], self.confidence])[steps]


@dataclass(frozen=True)
class Trajectory:
    """A run's classes on their way.

    Attributes:
        classes: class -> its steps, of the classes that ever had an elite.
        passes, seconds: what the run spent in all.
    """

    classes: dict[int, StepFunction]
    passes: float
    seconds: float

    def at(
        self, costs: Sequence[float] | NDArray[Any], cost: str, classes: Sequence[int]
    ) -> NDArray[np.float64]:
        """(classes, costs): the confidence of each of some classes at each cost, of "passes" or "seconds"; 0 where one
        has no elite then."""
        grid = np.asarray(costs, np.float64)
        return np.array(
            [
                self.classes[number].at(grid, cost) if number in self.classes else np.zeros(len(grid))
                for number in classes
            ]
        )

    def costs(self, cost: str = "passes") -> NDArray[np.float64]:
        """The costs at which a class rose, and the last of all."""
        rises = [getattr(steps, cost) for steps in self.classes.values()]
        return np.unique(np.concatenate([*rises, [getattr(self, cost)]]))


def trajectory(curve: Iterable[dict[str, Any]], views: int) -> Trajectory:
    """The trajectory that a run's log tells.

    Args:
        curve: the `generation` events, in order.
        views: network inputs per image.

    Raises:
        InvalidError: the log says nothing of single classes.
    """
    turns = list(_turns(_steps(curve, views)).values())
    if not turns:
        return Trajectory({}, 0.0, 0.0)
    spent = _side_by_side([np.array([cost for cost, _ in turn]) for turn in turns])
    rises: dict[int, list[tuple[float, float, float]]] = {}
    for turn in turns:
        for (passes, seconds), (_, gains) in zip(spent.tolist(), turn, strict=False):
            for number, confidence in gains:
                rises.setdefault(int(number), []).append((passes, seconds, confidence))
    classes = {number: StepFunction(*np.array(rows, np.float64).T) for number, rows in rises.items()}
    return Trajectory(classes, *spent[-1].tolist())


def _turns(steps: Iterable[_Step]) -> dict[int | None, list[tuple[_Cost, list[list[float]]]]]:
    """For each class that had steps of its own, what they had cost by then, and what rose; or all steps, under
    None."""
    turns: dict[int | None, list[tuple[_Cost, list[list[float]]]]] = {}
    before: _Cost = (0.0, 0.0)
    for cost, turn, gains in steps:
        own = turns.setdefault(turn, [])
        passes, seconds = own[-1][0] if own else (0.0, 0.0)
        elsewhere = (before[0] - passes, before[1] - seconds)
        own.append(((cost[0] - elsewhere[0], cost[1] - elsewhere[1]), gains))
        before = cost
    return turns


def _side_by_side(costs: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """What all turns, (n, 2) each, cost together after each of their steps: (longest n, 2)."""
    longest = max(len(cost) for cost in costs)
    padded = [np.concatenate([cost, np.repeat(cost[-1:], longest - len(cost), axis=0)]) for cost in costs]
    return np.sum(padded, axis=0)


def _steps(curve: Iterable[dict[str, Any]], views: int) -> Iterator[_Step]:
    """Passes and seconds so far, whose turn it was, what rose. A backward pass counts as two: the log of a search
    that makes any has `passes` of its own."""
    for event in curve:
        if "gains" not in event:
            raise InvalidError("its log has no gains of single classes: it was made by an older version")
        passes = views * event.get("passes", event["evaluations"])
        yield (float(passes), float(event["seconds"])), event.get("class"), event["gains"]
