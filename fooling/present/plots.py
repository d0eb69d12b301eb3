"""What all figures share: colours, axes of confidence, names beside what they name, PNGs.

Okabe & Ito's colours, which people with any colour vision tell apart ("Color Universal Design", 2008); names
stand beside what they name. Confidences are drawn by their distance from 1, since near 1 they all look alike.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from numpy.typing import NDArray

from fooling.confidence import MOST_NINES
from fooling.text import plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000", "#8B7500")
MARKS = "os^Dv<>P"
TEXT = 10
DPI = 110
DARK = 0.55  # shares above it are written in white


def panels_of(
    rows: int, columns: int, width: float, height: float, share: bool = False
) -> tuple[Figure, Any]:
    """A figure of so many inches, and its axes as `Figure.subplots` gives them."""
    figure = Figure(figsize=(width, height), dpi=DPI, layout="constrained")
    panels = figure.subplots(rows, columns, sharex=share, sharey=share)
    for axes in np.ravel(panels):
        axes.grid(color="#dddddd", lw=0.8)
        axes.set_axisbelow(True)
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(labelsize=TEXT - 1)
    return figure, panels


def dots(
    axes: Axes, place: float, values: Any, number: int, label: str | None = None, width: float = 0.2
) -> None:
    """A dot for each value above a place of the x axis, beside each other, and a bar at their median.

    Args:
        values: (n,), numbers.
        number: of the colour.
        label: for the legend.
        width: over which the dots spread.
    """
    spots = place + width * np.linspace(-0.4, 0.4, len(values))
    axes.plot(spots, values, "o", color=colour(number), ms=4, alpha=0.6, mew=0, clip_on=False)
    bar = place + width * np.array([-0.5, 0.5])
    axes.plot(bar, [np.median(values)] * 2, color=colour(number), lw=2.4, label=label)


def confidence_axis(axes: Axes, label: str, axis: str = "y") -> None:
    """From 0 to 1 by nines; the last tick is 1 itself, as float32 can't tell more."""
    ticks = [0, 1, 2, 3, 4, 5, 6, 7, MOST_NINES]
    texts = ["0", "90 %", "99 %", "99.9 %", "99.99 %", "1 - 1e-5", "1 - 1e-6", "1 - 1e-7", "1"]
    getattr(axes, f"set_{axis}ticks")(ticks, texts)
    getattr(axes, f"set_{axis}lim")(0, MOST_NINES + 0.15)
    if label:
        getattr(axes, f"set_{axis}label")(label, fontsize=TEXT)


def label_ends(
    axes: Axes, ends: Sequence[tuple[float, float, str, str]], top: float = MOST_NINES, gap: float = 0.55
) -> None:
    """Names to the right of the lines' ends, moved apart where they would overlap.

    Args:
        ends: x, y, name and colour of each.
        top: the highest y that there is.
        gap: between two names, as y.
    """
    places = sorted(ends, key=lambda end: end[1])
    heights: list[float] = []
    for _, y, _, _ in places:
        heights.append(max(y, heights[-1] + gap) if heights else y)
    over = max(0.0, heights[-1] - top)
    for height, (_, _, name, colour) in zip(heights, places, strict=True):
        axes.annotate(
            name, (1.0, height - over), (8, 0), xycoords=axes.get_yaxis_transform(), textcoords="offset points",
            color=text_colour(colour), fontsize=TEXT, va="center", annotation_clip=False,
        )  # fmt: skip


def heat_map(
    axes: Axes,
    shares: NDArray[np.float64],
    texts: Sequence[Sequence[str]],
    bold: Sequence[Sequence[bool]],
    names: tuple[Sequence[str], Sequence[str]],
) -> None:
    """Draw shares as the colours of cells.

    Args:
        shares: (rows, columns), 0 to 1; NaN for a cell without one.
        texts: what is written in each cell.
        bold: whether it is written in bold.
        names: of the rows and of the columns.
    """
    axes.grid(visible=False)
    axes.imshow(shares, cmap="viridis_r", vmin=0, vmax=1, aspect="auto")
    for row, column in np.ndindex(*shares.shape):
        axes.text(
            column, row, texts[row][column], ha="center", va="center", fontsize=TEXT - 1,
            color="white" if shares[row, column] > DARK else "black",
            fontweight="bold" if bold[row][column] else "normal",
        )  # fmt: skip
    axes.set_xticks(range(len(names[1])), list(map(literal, names[1])), rotation=20, ha="right")
    axes.set_yticks(range(len(names[0])), list(map(literal, names[0])))
    axes.tick_params(length=0, labelsize=TEXT)
    for spine in axes.spines.values():
        spine.set_visible(False)


def literal(text: str) -> str:
    """The text as a figure draws it letter by letter: a dollar sign would begin a formula, a line break another line,
    and control characters are boxes."""
    return plain(text).replace("$", r"\$")


def cut(text: str, length: int) -> str:
    """Literal text of at most so many characters."""
    text = plain(text)
    return literal(text if len(text) <= length else f"{text[: length - 1]}…")


def mark(number: int) -> str:
    """The marker of the group of that number."""
    return MARKS[number % len(MARKS)]


def colour(number: int) -> str:
    """The colour of the group of that number."""
    return COLOURS[number % len(COLOURS)]


def text_colour(colour: str) -> tuple[float, float, float]:
    """A colour dark enough for text on white."""
    red, green, blue = to_rgb(colour)
    return 0.72 * red, 0.72 * green, 0.72 * blue


def png(figure: Figure) -> bytes:
    """The figure as a PNG that is the same each time."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()
