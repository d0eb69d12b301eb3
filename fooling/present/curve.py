"""The curve of one run: how the confidences of its classes rose."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from fooling.confidence import log_distance
from fooling.present.plots import TEXT, colour, confidence_axis, label_ends, panels_of
from fooling.store.snapshot import Snapshot

_MOST = 1000  # points of a line: more can't be told apart


def figure(run: Snapshot) -> Figure:
    """The median of the classes against generations, and the range from the lowest class to the highest."""
    picture, axes = panels_of(1, 1, 7, 3)
    rows = run.curve
    chosen = (
        [rows[place] for place in np.unique(np.linspace(0, len(rows) - 1, _MOST).astype(int))] if rows else []
    )
    x = [row["generation"] for row in chosen]
    low, middle, high = (log_distance([row[name] for row in chosen]) for name in ("min", "median", "max"))
    axes.fill_between(x, low, high, color=colour(0), alpha=0.18, lw=0, step="post")
    axes.step(x, middle, where="post", color=colour(0), lw=1.8)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlabel("generation", fontsize=TEXT)
    confidence_axis(axes, "confidence")
    if x:
        label_ends(axes, [(x[-1], middle[-1], "median", colour(0))])
    return picture
