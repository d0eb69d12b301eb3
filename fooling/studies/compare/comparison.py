"""The arrays of a comparison: of each run, of each group of repeats, and the tests between groups.

Runs are compared by their confidence at equal cost: after as many forward passes as the cheapest run has made.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
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
        view: what the run has.
        name: the name of its directory, told apart from the others'.
        group: the position of its group.
        trajectory: how its confidences rose.
        passes: (K,) float64, the passes after which each class's elite was found; NaN where a class has no elite.
        statistics: name -> (K,) float64, what each class's elite is like; NaN where a class has no elite.
        nearest: (K,) int64, the row of the training image that is nearest to each elite; -1 where a class has no elite.
            None without training images.
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
        """(K,) float64, the confidence of each class's elite; NaN where a class has no elite."""
        return self.view.confidence.astype(np.float64)

    def confidence_at(self, passes: float) -> NDArray[np.float64]:
        """(K,) float64, the confidence of each class after so many passes: 0 where the class has no elite then, NaN
        where the search is not for the class."""
        found = np.full(len(self.view.labels), np.nan)
        found[self.view.target_classes] = self.over_targets([passes])[:, 0]
        return found

    def over_targets(
        self, costs: Sequence[float] | NDArray[Any], cost: str = "passes"
    ) -> NDArray[np.float64]:
        """(targets, costs) float64: the confidence of each class that the search is for, at each cost.

        Args:
            cost: what `costs` are, "passes" or "seconds".
        """
        return self.trajectory.at(costs, cost, self.view.target_classes.tolist())


@dataclass(frozen=True)
class Group:
    """Runs that differ in their seed only.

    Attributes:
        name: the settings that tell it from the other groups.
        runs: the positions of its runs.
    """

    name: str
    runs: list[int]


@dataclass(frozen=True)
class Pair:
    """Two groups, tested at equal cost.

    Attributes:
        groups: their positions. `RankTest.better` speaks of the first.
        runs: the test of the runs' median confidences; None unless both groups have several runs.
        classes: the test of the classes' confidences, each the median over its group's runs, as log-distances.
    """

    groups: tuple[int, int]
    runs: RankTest | None
    classes: RankTest


@dataclass(frozen=True)
class Comparison:
    """Runs beside each other.

    Attributes:
        labels: the names of the classes.
        runs: in the order in which they were given.
        groups: in the order of their first run.
        common: the forward passes that every run has made: the cost at which the runs are compared.
        pairs: the tests between each two groups.
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

    def at_common(self, group: int) -> NDArray[np.float64]:
        """(runs, K): the confidences of the runs of a group at equal cost; see `Run.confidence_at`."""
        return np.array([run.confidence_at(self.common) for run in self.of(group)])


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
    told_apart = distinct_names([view.directory for view in views])
    runs = [
        _run(view, name, group_of[position], training)
        for position, (view, name) in enumerate(zip(views, told_apart, strict=True))
    ]
    titles = names([views[group[0]] for group in members])
    found = [Group(title, group) for title, group in zip(titles, members, strict=True)]
    common = min(run.trajectory.passes for run in runs)
    untested = Comparison(views[0].labels, runs, found, common, [], training)
    pairs = [_pair(untested, *positions) for positions in combinations(range(len(found)), 2)]
    return replace(untested, pairs=pairs)


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
    way = trajectory(view.curve, view.spec.classifier.spec.views)
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


def _pair(comparison: Comparison, first: int, second: int) -> Pair:
    sides = [comparison.at_common(group) for group in (first, second)]
    several = all(len(side) > 1 for side in sides)
    medians = [np.nanmedian(side, axis=1) for side in sides]
    classes = [log_distance(class_medians(side)) for side in sides]
    return Pair((first, second), mann_whitney(*medians) if several else None, wilcoxon(*classes))


def class_medians(confidences: NDArray[np.float64]) -> NDArray[np.float64]:
    """(runs, K) to (K,): the median of each class over the runs that are for it; NaN where no run is."""
    found = np.full(confidences.shape[1], np.nan)
    known = ~np.isnan(confidences).all(axis=0)
    found[known] = np.nanmedian(confidences[:, known], axis=0)
    return found


def _classes(view: Snapshot) -> str:
    some = ", ".join(view.labels[:3])
    return f"{len(view.labels):,} ({some}{', ...' if len(view.labels) > 3 else ''})"
