"""The heat map of a transfer matrix, as PNG: which run's images fool which network."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from fooling.present.plots import literal
from fooling.studies.transfer.document import short

TEXT = 10
DPI = 110
_DARK = 0.55  # shares above it are written in white


def heat_map(data: Mapping[str, Any], names: Mapping[str, str]) -> bytes:
    """The share of same top-1, a cell per source and target, with its 95 % interval.

    Args:
        data: a transfer document.
        names: source directory -> name.
    """
    sources, targets = data["sources"], data["targets"]
    found = {(cell["source"], cell["target"]): cell for cell in data["cells"]}
    shares = np.full((len(sources), len(targets)), np.nan)
    # As wide as its texts: a cell's, and the longest name of a run beside it.
    width = 2.2 + 0.085 * max(len(names[source]) for source in sources) + 1.35 * len(targets)
    figure = Figure((width, 1.7 + 0.62 * len(sources)), dpi=DPI, layout="constrained")
    axes = figure.subplots()
    for row, source in enumerate(sources):
        for column, target in enumerate(targets):
            cell = found.get((source, target))
            if cell is None or not cell["images"]:  # the target has none of the images' classes
                continue
            shares[row, column] = share = cell["same_top1"]
            low, high = cell["same_top1_ci95"]
            text = f"{100 * share:.0f} %\n{100 * low:.0f} to {100 * high:.0f} %"
            colour = "white" if share > _DARK else "black"
            bold = "bold" if cell["source_model"] == target else "normal"
            axes.text(
                column, row, text, ha="center", va="center", fontsize=TEXT - 1, color=colour, fontweight=bold
            )
    axes.imshow(shares, cmap="viridis_r", vmin=0, vmax=1, aspect="auto")
    axes.set_xticks(range(len(targets)), [literal(short(t)) for t in targets], rotation=20, ha="right")
    axes.set_yticks(range(len(sources)), [literal(names[source]) for source in sources])
    axes.tick_params(length=0, labelsize=TEXT)
    axes.set_xlabel("shown to", fontsize=TEXT)
    axes.set_ylabel("elites of", fontsize=TEXT)
    axes.set_title(
        "Share with the same top-1 class, and its 95 % interval; bold: at home", fontsize=TEXT, loc="left"
    )
    for spine in axes.spines.values():
        spine.set_visible(False)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()
