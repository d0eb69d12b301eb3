"""A comparison as data: what `fooling compare --json` prints and `comparison.json` holds.

Numbers are not rounded; null stands where there is none. The keys are described in docs/compare.md.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fooling.store.statistics import describe
from fooling.studies.compare.comparison import Comparison, Group, Pair, Run
from fooling.studies.rank_tests import RankTest

FORMAT = 1
KIND = "fooling comparison"
FEW = 20  # classes whose single trajectories are told and drawn
POINTS = 120  # of a curve
PASSES = (
    "forward passes: one per input of the network, ten per image where ten crops are averaged; a backward pass "
    "counts as two"
)


def document(comparison: Comparison, left_out: Mapping[str, str]) -> dict[str, Any]:
    """The comparison as JSON-like data.

    Args:
        left_out: run directory -> why it is not part of it.
    """
    training = comparison.training
    return {
        "kind": KIND,
        "format": FORMAT,
        "classes": list(comparison.labels),
        "passes": PASSES,
        "common_passes": comparison.common,
        "training": training
        and {
            "folder": str(training.folder),
            "images": len(training.pixels),
            "usual_distance": training.usual,
            "near_distance": _number(training.near),
        },
        "groups": [_group(comparison, number, group) for number, group in enumerate(comparison.groups)],
        "runs": [_run(comparison, run) for run in comparison.runs],
        "tests": [test for pair in comparison.pairs for test in _tests(comparison, pair)],
        "left_out": [{"run": run, "reason": reason} for run, reason in left_out.items()],
    }


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


def _group(comparison: Comparison, number: int, group: Group) -> dict[str, Any]:
    runs = comparison.of(number)
    medians = [float(np.nanmedian(run.confidence_at(comparison.common))) for run in runs]
    return {
        "name": group.name,
        "runs": [run.name for run in runs],
        "seeds": [run.view.spec.seed for run in runs],
        "median_at_common_passes": float(np.median(medians)),
    }


def _run(comparison: Comparison, run: Run) -> dict[str, Any]:
    view = run.view
    return {
        "run": str(view.directory),
        "name": run.name,
        "group": comparison.groups[run.group].name,
        "seed": view.spec.seed,
        "model": view.spec.model,
        "status": view.status,
        "evaluations": view.evaluations,
        "passes": run.trajectory.passes,
        "seconds": run.trajectory.seconds,
        "confidence": {**describe(view.confidence[view.aims]), "classes": len(view.aims)},
        "median_at_common_passes": float(np.nanmedian(run.confidence_at(comparison.common))),
        "near_training": None if comparison.training is None else len(run.near(comparison.training)),
        "images": {key: float(np.nanmedian(values)) for key, values in run.statistics.items()},
        "elites": [_elite(comparison, run, number) for number in view.archive.occupied.tolist()],
        "curves": [_listed(curves(run, cost, grid([run], cost))) for cost in ("passes", "seconds")],
        **({"classes": _classes(run)} if len(comparison.labels) <= FEW else {}),
    }


def _elite(comparison: Comparison, run: Run, number: int) -> dict[str, Any]:
    found: dict[str, Any] = {
        "class": number,
        "label": comparison.labels[number],
        "confidence": float(run.confidence[number]),
        "passes": _number(run.passes[number]),
        **{key: _number(values[number]) for key, values in run.statistics.items()},
    }
    if run.nearest is not None and comparison.training is not None:
        row = int(run.nearest[number])
        found |= {
            "nearest": row,
            "nearest_label": int(comparison.training.labels[row]),
            "near_training": number in run.near(comparison.training),
        }
    return found


def _classes(run: Run) -> list[dict[str, Any]]:
    """Each class's stairs."""
    return [
        {
            "class": number,
            **_listed({"passes": stairs.passes, "seconds": stairs.seconds, "confidence": stairs.confidence}),
        }
        for number, stairs in sorted(run.trajectory.classes.items())
    ]


def _tests(comparison: Comparison, pair: Pair) -> list[dict[str, Any]]:
    names = [comparison.groups[number].name for number in pair.groups]
    named = ((pair.runs, "median confidence of each run"), (pair.classes, "confidence of each class"))
    return [_test(test, names, of) for test, of in named if test is not None]


def _test(test: RankTest, names: list[str], of: str) -> dict[str, Any]:
    return {
        "groups": names,
        "of": of,
        "test": test.test,
        "n": list(test.n),
        "statistic": test.statistic,
        "p": test.p,
        "first_is_higher": test.better,
    }


def _listed(columns: Mapping[str, NDArray[np.float64]]) -> dict[str, list[float]]:
    return {key: values.tolist() for key, values in columns.items()}


def _number(value: Any) -> float | None:
    return None if math.isnan(value) else float(value)
