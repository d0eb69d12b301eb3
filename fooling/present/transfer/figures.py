"""The heat map of a transfer matrix, as PNG: which run's images fool which network."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from fooling.model_specs import short
from fooling.present.plots import DPI, TEXT, heat_map, png
from fooling.studies.transfer.result import Cell, Result


def matrix(result: Result) -> bytes:
    """The share of same top-1, a cell per source and target, with its 95 % interval."""
    names = list(result.names.values())
    # As wide as its texts: those of the cells or the title, and the longest name of a run beside them.
    width = 0.9 + 0.085 * max(map(len, names)) + max(5.0, 1.3 + 1.35 * len(result.targets))
    figure = Figure((width, 1.7 + 0.62 * len(names)), dpi=DPI, layout="constrained")
    axes = figure.subplots()
    count = len(result.targets)
    rows = [result.cells[start : start + count] for start in range(0, len(result.cells), count)]
    heat_map(
        axes,
        np.array([[cell.same_top1 for cell in row] for row in rows], np.float64),
        [[_text(cell) for cell in row] for row in rows],
        [[cell.at_home for cell in row] for row in rows],
        (names, list(map(short, result.targets))),
    )
    axes.set_xlabel("shown to", fontsize=TEXT)
    axes.set_ylabel("elites of", fontsize=TEXT)
    axes.set_title(
        "Share with the same top-1 class, and its 95 % interval; bold: at home", fontsize=TEXT, loc="left"
    )
    return png(figure)


def _text(cell: Cell) -> str:
    """The share and its interval; nothing where the target has none of the images' classes."""
    if cell.same_top1 is None or cell.same_top1_ci95 is None:
        return ""
    low, high = cell.same_top1_ci95
    return f"{100 * cell.same_top1:.0f} %\n{100 * low:.0f} to {100 * high:.0f} %"
