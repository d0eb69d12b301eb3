"""The numbers of a comparison: of each run, of each group of repeats, and of the tests between groups.

What runs are compared by is their confidence at equal cost: at as many forward passes as the cheapest has made.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fooling.confidence import log_distance
from fooling.errors import FoolingError, InvalidError
from fooling.store.snapshot import distinct_names
from fooling.studies.compare import images
from fooling.studies.compare.groups import groups, names
from fooling.studies.compare.images import Training
from fooling.studies.compare.trajectory import Trajectory, trajectory
from fooling.studies.rank_tests import RankTest, mann_whitney, wilcoxon

if TYPE_CHECKING:
    from fooling.store.snapshot import Snapshot

FEW = 20  # classes whose single trajectories are told and drawn
POINTS = 120  # of a curve
PASSES = (
    "forward passes: one per input of the network, ten per image where ten crops are averaged; a backward pass "
    "counts as two"
)


@dataclass(frozen=True)
class Run:
    """One run.

    Attributes:
        view: it.
        name: of its directory, told apart from the others'.
        group: which it is of.
        trajectory: how its confidences rose.
        passes: (K,) float64, what the run had spent when each class's elite was found; NaN where none.
        statistics: name -> (K,) float64, of each class's elite, NaN where none.
        nearest: (K,) int64, the training image that is nearest to each elite; -1 where none. None without data.
    """

    view: Snapshot
    name: str
    group: int
    trajectory: Trajectory
    passes: NDArray[np.float64]
    statistics: dict[str, NDArray[np.float64]]
    nearest: NDArray[np.int64] | None

    def near(self, training: Training) -> NDArray[np.int64]:
        """The classes whose elite is as near to a training image as test images are, ascending."""
        return np.flatnonzero(self.statistics["training_distance"] <= training.near)

    @property
    def confidence(self) -> NDArray[np.float64]:
        """(K,), NaN where a class has no elite."""
        return self.view.confidence.astype(np.float64)

    def confidence_at(self, passes: float) -> NDArray[np.float64]:
        """(K,): the confidence at some cost: 0 where a class has no elite then, NaN where the search is not for it."""
        found = np.full(len(self.view.labels), np.nan)
        found[self.view.aims] = self.over_targets([passes])[:, 0]
        return found

    def over_targets(
        self, costs: Sequence[float] | NDArray[Any], cost: str = "passes"
    ) -> NDArray[np.float64]:
        """(targets, costs): the confidence of each class that the search is for at each cost, of "passes" or "seconds";
        0 where it has no elite then."""
        return self.trajectory.at(costs, cost, self.view.aims.tolist())


@dataclass(frozen=True)
class Group:
    """Runs that differ in their seed only.

    Attributes:
        name: what tells it from the other groups.
        runs: positions of its runs.
    """

    name: str
    runs: list[int]


@dataclass(frozen=True)
class Pair:
    """Two groups, tested at equal cost.

    Attributes:
        groups: positions; the first is the one that `better` speaks of.
        runs: of the runs' median confidences; None unless both groups have several.
        classes: of the classes' confidences, each the median over its group's runs, on the scale of nines.
    """

    groups: tuple[int, int]
    runs: RankTest | None
    classes: RankTest


@dataclass(frozen=True)
class Comparison:
    """Runs beside each other.

    Attributes:
        labels: names of the classes.
        runs, groups: groups in the order of their first run.
        common: the forward passes that every run has made: the cost at which they are compared.
        pairs: the tests.
        training: what the images were held against, if anything.
    """

    labels: tuple[str, ...]
    runs: list[Run]
    groups: list[Group]
    common: float
    pairs: list[Pair]
    training: Training | None

    def of(self, group: int) -> list[Run]:
        """The runs of a group."""
        return [self.runs[position] for position in self.groups[group].runs]


def compare(views: Sequence[Snapshot], training: Training | None = None) -> Comparison:
    """Compare two or more runs on the same classes.

    Args:
        training: images to measure the distance to.

    Raises:
        InvalidError: fewer than two runs, other classes, or a run that can't be compared.
    """
    if len(views) < 2:
        raise InvalidError(f"expected two runs or more, found {len(views)}")
    check_classes(views)
    members = groups(views)
    group_of = {position: number for number, group in enumerate(members) for position in group}
    runs = [
        _run(view, name, group_of[position], training)
        for position, (view, name) in enumerate(zip(views, distinct_names(views), strict=True))
    ]
    titles = names([views[group[0]] for group in members])
    found = [Group(title, group) for title, group in zip(titles, members, strict=True)]
    common = min(run.trajectory.passes for run in runs)
    pairs = [
        _pair((a, b), [[runs[i] for i in found[k].runs] for k in (a, b)], common)
        for a, b in combinations(range(len(found)), 2)
    ]
    return Comparison(views[0].labels, runs, found, common, pairs, training)


def check_classes(views: Sequence[Snapshot]) -> None:
    """
    Raises:
        InvalidError: the runs are not about the same classes.
    """
    first = views[0]
    for view in views[1:]:
        if view.labels != first.labels:
            raise InvalidError(
                f"expected runs on the same classes; {first.directory} has {_classes(first)}, "
                f"{view.directory} has {_classes(view)}"
            )


def check_run(view: Snapshot) -> None:
    """
    Raises:
        FoolingError: the run has nothing to compare.
        InvalidError: its log does not tell how it got there.
    """
    held = set(view.archive.occupied.tolist())
    if not held:
        raise FoolingError("it has no elites yet")
    if untold := held - trajectory(view.curve, 1).classes.keys():
        raise InvalidError(
            f"its log does not tell how class {min(untold)} got its elite: it was cut, or altered"
        )


def _run(view: Snapshot, name: str, group: int, training: Training | None) -> Run:
    way = trajectory(view.curve, _views(view))
    held = view.archive.occupied
    pixels = view.stored_pixels[view.stored_rows[held]]
    passes = np.full(len(view.labels), np.nan)
    for number, steps in way.classes.items():
        passes[number] = steps.passes[-1]
    statistics = {
        "grey_distance": images.grey_distance(pixels),
        "total_variation": images.total_variation(pixels),
        "png_bytes": images.png_bytes(pixels).astype(np.float64),
    }
    rows = None
    if training is not None:
        distances, near = images.nearest(pixels, training)
        statistics["training_distance"] = distances
        rows = np.full(len(view.labels), -1)
        rows[held] = near
    spread = {key: np.full(len(view.labels), np.nan) for key in statistics}
    for key, values in statistics.items():
        spread[key][held] = values
    return Run(view, name, group, way, passes, spread, rows)


def _views(view: Snapshot) -> int:
    """Network inputs per image."""
    return view.spec.classifier.spec.views


def grid(runs: Sequence[Run], cost: str) -> NDArray[np.float64]:
    """Costs, evenly spaced on a logarithmic axis: from the first image of any run to the end of the longest."""
    starts = [run.trajectory.costs(cost)[0] for run in runs]
    ends = [getattr(run.trajectory, cost) for run in runs]
    low, high = max(min(starts), 1e-9), max(ends)
    return np.geomspace(low, max(high, low), POINTS)


def curves(run: Run, cost: str, costs: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    """Median, lowest and highest confidence of the classes that a run's search is for, at each cost that it reached."""
    reached = costs[costs <= getattr(run.trajectory, cost) * (1 + 1e-12)]
    at = run.over_targets(reached, cost)
    return {cost: reached, "median": np.median(at, axis=0), "min": at.min(axis=0), "max": at.max(axis=0)}


def _pair(positions: tuple[int, int], sides: Sequence[Sequence[Run]], common: float) -> Pair:
    at = [np.array([run.confidence_at(common) for run in side]) for side in sides]
    several = all(len(side) > 1 for side in sides)
    medians = [np.nanmedian(side, axis=1) for side in at]
    classes = [log_distance(class_medians(side)) for side in at]
    return Pair(positions, mann_whitney(*medians) if several else None, wilcoxon(*classes))


def class_medians(confidences: NDArray[np.float64]) -> NDArray[np.float64]:
    """(runs, K) to (K,): medians over the runs that have the class; NaN where none has."""
    found = np.full(confidences.shape[1], np.nan)
    known = ~np.isnan(confidences).all(axis=0)
    found[known] = np.nanmedian(confidences[:, known], axis=0)
    return found


def _classes(view: Snapshot) -> str:
    some = ", ".join(view.labels[:3])
    return f"{len(view.labels):,} ({some}{', ...' if len(view.labels) > 3 else ''})"
