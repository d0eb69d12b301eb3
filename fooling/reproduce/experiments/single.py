"""`single-class-vs-map-elites`: does it help to evolve all classes at once (Nguyen, Yosinski & Clune 2015, "Innovation
Engines", GECCO)?

MAP-Elites beside the search `single-class`, which evolves each class for itself, at as many images in all. The runs
are compared as `fooling compare` compares any.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fooling.confidence import format_confidence
from fooling.present.compare import figures
from fooling.present.markdown import table
from fooling.present.plots import png
from fooling.reproduce.result import Claim, Figure, Result, Row
from fooling.reproduce.workspace import Workspace
from fooling.store.snapshot import Snapshot
from fooling.studies.compare.comparison import Comparison, Pair, compare
from fooling.studies.compare.study import found as result_of
from fooling.studies.rank_tests import in_words

ENCODINGS = ("cppn", "direct")
CLASSES = 10
ALPHA = 0.05
SHARES = (0.05, 0.1, 0.25, 0.5, 1.0)  # of the budget, at which the medians are told


def perform(workspace: Workspace) -> Result:
    """Compare the two searches with both encodings and every seed."""
    comparison = compare([view for encoding in ENCODINGS for view in _both(workspace, encoding)])
    pairs = [_pair(comparison, encoding) for encoding in ENCODINGS]
    return Result(
        tuple(_claim(comparison, pair) for pair in pairs),
        tuple(row for pair in pairs for row in _rows(comparison, pair)),
        tuple(line for pair in pairs for line in _tests(comparison, pair)),
        (
            Figure("confidence", "Median confidence of the ten digits against forward passes and against time, medians "
                   "and ranges over seeds; single classes are drawn as if evolved side by side.",
                   png(figures.confidence(comparison))),
            Figure("classes", "The confidence of each digit in each run at equal cost.",
                   png(figures.classes(comparison))),
        ),
        _notes(comparison),
        _numbers(comparison),
    )  # fmt: skip


def _both(workspace: Workspace, encoding: str) -> list[Snapshot]:
    """MAP-Elites, then as many images for each class alone as it has for all, divided by their number."""
    together = workspace.digits(encoding)
    alone = workspace.runs(f"mnist-{encoding}-single", search__evaluations=together[0].evaluations // CLASSES)
    return [*together, *alone]


def _pair(comparison: Comparison, encoding: str) -> Pair:
    """The test of an encoding's two searches, MAP-Elites first."""
    return next(
        pair
        for pair in comparison.pairs
        if {comparison.of(group)[0].view.spec.config.encoding.name for group in pair.groups} == {encoding}
    )


def direction(pair: Pair) -> int:
    """1 where the first is better beyond chance, by runs or by classes; -1 where it is worse; 0 where neither is
    known, or the two tests disagree."""
    signs = {test.direction(ALPHA) for test in (pair.runs, pair.classes) if test is not None} - {0}
    return signs.pop() if len(signs) == 1 else 0


def _claim(comparison: Comparison, pair: Pair) -> Claim:
    """The paper's finding is of CPPNs; here it is asked of both encodings."""
    encoding = comparison.of(pair.groups[0])[0].view.spec.config.encoding.name
    found = direction(pair)
    ours, theirs = (format_confidence(_median(comparison, group)) for group in pair.groups)
    how = {1: "better", -1: "worse", 0: "neither better nor worse beyond chance"}[found]
    return Claim(
        f"MAP-Elites is better than evolving each class alone: {encoding} images",
        found > 0,
        f"At equal cost MAP-Elites is {how} beside single-class evolution of {encoding} images ({ours} beside {theirs}).",
    )


def _median(comparison: Comparison, group: int, share: float = 1.0) -> float:
    """The median over runs of the medians over classes, at a share of the common cost."""
    return float(np.median(_medians(comparison, group, share)))


def _medians(comparison: Comparison, group: int, share: float = 1.0) -> list[float]:
    at = share * comparison.common
    return [float(np.nanmedian(np.nan_to_num(run.confidence_at(at)))) for run in comparison.of(group)]


def _rows(comparison: Comparison, pair: Pair) -> list[Row]:
    rows = []
    for group, paper in zip(pair.groups, ("higher", "lower"), strict=True):
        runs, name = comparison.of(group), comparison.groups[group].name
        lowest = [float(np.nan_to_num(run.confidence_at(comparison.common)).min()) for run in runs]
        rows += [
            Row.over(f"{name}: median of the digits", _medians(comparison, group), paper=paper),
            Row.over(f"{name}: lowest digit", lowest),
        ]
    return rows


def _tests(comparison: Comparison, pair: Pair) -> list[str]:
    names = " beside ".join(comparison.groups[number].name for number in pair.groups)
    lines = [f"{names}, classes (each the median over its runs): {in_words(pair.classes)}."]
    return [f"{names}, medians of runs: {in_words(pair.runs)}.", *lines] if pair.runs else lines


def _notes(comparison: Comparison) -> str:
    rows = [
        (
            group.name,
            *(format_confidence(_median(comparison, number, share)) for share in SHARES),
            f"{np.median([run.trajectory.seconds for run in comparison.of(number)]):.1f}",
        )
        for number, group in enumerate(comparison.groups)
    ]
    heads = ("search, encoding", *(f"{share:.0%} of the images" for share in SHARES), "seconds")
    return (
        f"{comparison.common:,.0f} images in all, either way. On the way there the medians are:\n\n"
        f"{table(heads, rows)}\n"
        "The baseline is another algorithm too: DEAP's for direct images, neat-python's NEAT with crossover and "
        "speciation for CPPNs, with the population sizes that did best (docs/results/single-class.md)."
        + (" Of three runs beside three no p-value is below 0.1." if len(comparison.of(0)) == 3 else "")
    )


def _numbers(comparison: Comparison) -> dict[str, Any]:
    """The comparison without its curves, and without the paths of its runs."""
    found = result_of(comparison).document()
    kept = ("name", "group", "seed", "passes", "seconds", "confidence", "median_at_common_passes")
    return {
        "common_passes": found["common_passes"],
        "groups": found["groups"],
        "runs": [{key: run[key] for key in kept} for run in found["runs"]],
        "tests": found["tests"],
    }
