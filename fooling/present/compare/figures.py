"""The figures of a comparison, as PNGs: confidence against cost, the classes, the images."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter

from fooling.confidence import log_distance
from fooling.present.plots import (
    TEXT,
    colour,
    confidence_axis,
    cut,
    label_ends,
    mark,
    panels_of,
    png,
    text_colour,
)
from fooling.studies.compare.comparison import FEW, Comparison, curves, grid
from fooling.studies.compare.images import NEAR, Training

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_COSTS = {"passes": "forward passes (one backward counts as two)", "seconds": "seconds of search"}
_IMAGES = {
    "grey_distance": "distance to mid-grey (RMS)",
    "total_variation": "total variation (mean step)",
    "png_bytes": "size as PNG (bytes)",
    "training_distance": "distance to the nearest\ntraining image (RMS)",
}


def figures(comparison: Comparison) -> Iterator[tuple[str, bytes]]:
    """File names and PNGs."""
    yield "confidence.png", png(confidence(comparison))
    if len(comparison.labels) <= FEW:
        yield "trajectories.png", png(trajectories(comparison))
    yield "classes.png", png(classes(comparison))
    yield "images.png", png(images(comparison))


NAMES = ("confidence.png", "trajectories.png", "classes.png", "images.png")


def confidence(comparison: Comparison) -> Figure:
    """The median over classes against passes and against time: of each group the median over its runs, and the
    range of them where there are several."""
    figure, (left, right) = panels_of(1, 2, 12, 4.6)
    for axes, cost in ((left, "passes"), (right, "seconds")):
        costs = grid(comparison.runs, cost)
        ends = []
        for number, group in enumerate(comparison.groups):
            drawn = [curves(run, cost, costs) for run in comparison.of(number)]
            length = min(len(one["median"]) for one in drawn)
            table = log_distance(np.array([one["median"][:length] for one in drawn]))
            shade, x = colour(number), costs[:length]
            if len(drawn) > 1:
                axes.fill_between(x, table.min(0), table.max(0), color=shade, alpha=0.18, lw=0, step="post")
            middle = np.median(table, axis=0)
            axes.step(x, middle, where="post", color=shade, lw=1.8)
            ends.append((x[-1], middle[-1], _plural(group.name, len(drawn)), shade))
        axes.set_xscale("log")
        axes.set_xlabel(_COSTS[cost])
        confidence_axis(axes, "median confidence of the classes" if axes is left else "")
        label_ends(axes, ends)
    return figure


def trajectories(comparison: Comparison) -> Figure:
    """Each class that some run has an elite of against passes, a panel each."""
    shown = _shown(comparison)
    count = len(shown)
    columns = min(5, count)
    rows = -(-count // columns)
    figure, panels = panels_of(rows, columns, 12, 0.9 + 2.1 * rows, share=True)
    costs = grid(comparison.runs, "passes")
    for axes in np.ravel(panels)[count:]:
        axes.set_visible(False)
    for index, axes in zip(shown, np.ravel(panels), strict=False):
        for run in comparison.runs:
            if steps := run.trajectory.classes.get(index):
                x = costs[costs <= run.trajectory.passes]
                axes.step(
                    x, log_distance(steps.at(x)), where="post", color=colour(run.group), lw=1.1, alpha=0.75
                )
        axes.set_xscale("log")
        axes.set_title(cut(comparison.labels[index], 22), fontsize=TEXT)
        confidence_axis(axes, "")
    figure.supxlabel(_COSTS["passes"], fontsize=TEXT)
    figure.supylabel("confidence", fontsize=TEXT)
    _title_of_groups(figure, comparison)
    return figure


def classes(comparison: Comparison) -> Figure:
    """The confidence of each class at equal cost: while classes are few, a mark for each run; else how many
    classes reach what."""
    if len(comparison.labels) > FEW:
        return _distribution(comparison)
    shown, several = _shown(comparison), len(comparison.groups)
    count = len(shown)
    figure, axes = panels_of(1, 1, 9, 1.4 + 0.28 * count * max(1.0, several / 2))
    for number in range(several):
        shift = (number - (several - 1) / 2) * 0.7 / several
        for run in comparison.of(number):
            values = log_distance(run.confidence_at(comparison.common))[shown]
            axes.plot(
                values, np.arange(count) + shift, mark(number), color=colour(number), ms=5,
                alpha=0.8, mew=0, clip_on=False,
            )  # fmt: skip
    axes.set_yticks(range(count), [cut(comparison.labels[index], 22) for index in shown], fontsize=TEXT)
    axes.set_ylim(count - 0.5, -0.5)
    axes.grid(axis="y", visible=False)
    for edge in np.arange(0.5, count - 1):
        axes.axhline(edge, color="#eeeeee", lw=0.8)
    confidence_axis(axes, f"confidence at {comparison.common:,.0f} forward passes", axis="x")
    axes.set_ylabel("class", fontsize=TEXT)
    _title_of_groups(figure, comparison, marks=True)
    return figure


def _shown(comparison: Comparison) -> list[int]:
    """The classes that some run has an elite of; all where none has any."""
    found = {index for run in comparison.runs for index in run.trajectory.classes}
    return sorted(found) or list(range(len(comparison.labels)))


def _distribution(comparison: Comparison) -> Figure:
    figure, axes = panels_of(1, 1, 9, 5)
    ends = []
    for number, group in enumerate(comparison.groups):
        for run in comparison.of(number):
            values = np.sort(log_distance(np.nan_to_num(run.confidence_at(comparison.common))))[::-1]
            share = np.arange(1, len(values) + 1) / len(values)
            axes.step(share, values, where="pre", color=colour(number), lw=1.6, alpha=0.8)
        ends.append((share[-1], values[-1], _plural(group.name, len(group.runs)), colour(number)))
    axes.set_xlabel("share of the classes that reach it")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.0%}"))
    confidence_axis(axes, f"confidence at {comparison.common:,.0f} forward passes")
    label_ends(axes, ends)
    return figure


def images(comparison: Comparison) -> Figure:
    """Statistics of the elites: a dot for each class and run, a bar at the median of the group."""
    keys = [key for key in _IMAGES if key in comparison.runs[0].statistics]
    several = len(comparison.groups)
    figure, panels = panels_of(1, len(keys), 12, 1.9 + 0.6 * several)
    for axes, key in zip(np.ravel(panels), keys, strict=True):
        for number in range(several):
            values = np.concatenate([run.statistics[key] for run in comparison.of(number)])
            values = values[~np.isnan(values)]
            spread = np.linspace(-0.24, 0.24, len(values)) if len(values) > 1 else np.zeros(1)
            axes.plot(values, number + spread, ".", color=colour(number), ms=5, alpha=0.45, mew=0)
            middle = float(np.median(values))
            axes.plot([middle, middle], [number - 0.36, number + 0.36], color=colour(number), lw=2.4)
        axes.set_title(_IMAGES[key], fontsize=TEXT)
        axes.set_ylim(several - 0.5, -0.5)
        axes.grid(axis="y", visible=False)
        axes.set_xlim(left=0)
        axes.set_yticks([])
    first = np.ravel(panels)[0]
    names = [cut(group.name, 60).replace(", ", "\n") for group in comparison.groups]
    first.set_yticks(range(several), names, fontsize=TEXT)
    if "training_distance" in keys and comparison.training is not None:
        _mark_usual(np.ravel(panels)[-1], comparison.training)
    return figure


def _mark_usual(axes: Axes, training: Training) -> None:
    axes.axvline(training.usual, color="#555555", lw=1.2, ls=":")
    axes.axvspan(0, training.near, color="#eeeeee", zorder=0)
    axes.set_xlabel(
        f"test images: median {training.usual:.2f} (dotted),\n{100 * NEAR:.0f} % within {training.near:.2f} (grey)",
        fontsize=TEXT - 1,
    )


def _title_of_groups(figure: Figure, comparison: Comparison, marks: bool = False) -> None:
    """The groups' names in their colours, above the figure: where there is no free end to stand at."""
    handles = [
        Line2D([], [], color=colour(number), marker=mark(number), ls="", ms=6)
        if marks
        else Line2D([], [], color=colour(number), lw=1.8)
        for number in range(len(comparison.groups))
    ]
    names = [_plural(group.name, len(group.runs)) for group in comparison.groups]
    figure.legend(
        handles, names, loc="outside upper left", ncols=2, frameon=False, fontsize=TEXT,
        labelcolor=[text_colour(colour(number)) for number in range(len(names))],
    )  # fmt: skip


def _plural(name: str, runs: int) -> str:
    return f"{cut(name, 40)} ({runs} runs)" if runs > 1 else cut(name, 40)
