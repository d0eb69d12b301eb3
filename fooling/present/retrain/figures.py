"""The rounds as one picture: error, confidence, what is recognised, and images of each round (after figure 11 of
Nguyen 2015)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from fooling.confidence import nines
from fooling.present.plots import DPI, TEXT, colour, confidence_axis, cut, ink, png
from fooling.studies.retrain.measures import Round, Share

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SHOWN = 10  # classes, in the strips of images
_KINDS = {
    "trained": "trained on",
    "held_out": "held out",
    "new": "new elites",
    "unselected": "random images",
    "false_alarms": "test images",
}
_GAP = 0.075  # between names, in shares of the axis


def figure(rounds: Sequence[Round], labels: Sequence[str]) -> bytes:
    """A PNG.

    Args:
        rounds: from round 0 on.
        labels: of the classes, "fooling" left out.
    """
    strips = 0.62 * len(rounds)
    picture = Figure((12, 4.2 + strips + 0.4), dpi=DPI, layout="constrained")
    figures: Any = picture.subfigures(2, 1, height_ratios=(4.2, strips + 0.4))
    upper, lower = figures
    error, confidence, called = upper.subplots(1, 3, width_ratios=(1, 1, 1.15))
    _error(error, rounds)
    _confidence(confidence, rounds)
    _called(called, rounds)
    for axes in (error, confidence, called):
        axes.grid(color="#dddddd", lw=0.8)
        axes.set_axisbelow(True)
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(labelsize=TEXT - 1)
        axes.set_xlabel("round", fontsize=TEXT)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set_xlim(-0.25, rounds[-1].number + 0.25)
    _strips(lower, rounds, labels)
    return png(picture)


def _error(axes: Axes, rounds: Sequence[Round]) -> None:
    for number, (name, shares) in enumerate(
        {
            "all classes": [one.accuracy for one in rounds],
            "without “fooling”": [one.accuracy_among_classes for one in rounds],
        }.items()
    ):
        values = [1 - share.value for share in shares]
        bounds = [[1 - bound for bound in share.interval] for share in shares]
        _line(axes, [one.number for one in rounds], values, bounds, number, name, shift=0.06 * number)
    axes.set_ylim(bottom=0)
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    axes.legend(frameon=False, fontsize=TEXT - 1, loc="lower right")
    axes.set_title("error on test images", fontsize=TEXT, loc="left")


def _confidence(axes: Axes, rounds: Sequence[Round]) -> None:
    """A dot for each run, a line through the medians over all elites."""
    for one in rounds:
        spread = np.linspace(-0.16, 0.16, len(one.medians)) if len(one.medians) > 1 else np.zeros(1)
        axes.plot(one.number + spread, nines(one.medians), ".", color=colour(0), ms=5, alpha=0.4, mew=0)
    axes.plot([one.number for one in rounds], nines([one.median for one in rounds]), color=colour(0), lw=1.8)
    confidence_axis(axes, "")
    axes.set_title("median confidence of a run's elites", fontsize=TEXT, loc="left")


def _called(axes: Axes, rounds: Sequence[Round]) -> None:
    """The shares that networks call fooling, from round 1 on; each line's name at its end."""
    ends = []
    known = [(one.number, one.recognised) for one in rounds if one.recognised is not None]
    for number, (kind, name) in enumerate(_KINDS.items()):
        shares: list[Share] = [getattr(recognised, kind) for _, recognised in known]
        if shares:
            values = [share.value for share in shares]
            _line(axes, [at for at, _ in known], values, [share.interval for share in shares], number, name)
            ends.append((values[-1], name, number))
    at = 1.0 + _GAP
    for value, name, number in sorted(ends, reverse=True):
        at = max(min(value, at - _GAP), sum(other < (value, name, number) for other in ends) * _GAP)
        axes.annotate(
            name, (1.0, at), (6, 0), xycoords=axes.get_yaxis_transform(), textcoords="offset points",
            color=ink(colour(number)), fontsize=TEXT, va="center", annotation_clip=False,
        )  # fmt: skip
    axes.set_ylim(0, 1.02)
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    axes.set_title("share called “fooling”", fontsize=TEXT, loc="left")


def _line(
    axes: Axes,
    at: Sequence[int],
    values: Sequence[float],
    bounds: Sequence[Sequence[float]],
    number: int,
    name: str,
    shift: float = 0.0,
) -> None:
    """A line with 95 % intervals, slightly beside the round so that intervals stay apart."""
    low, high = np.sort(np.array(bounds), axis=1).T
    around = np.maximum(0.0, np.stack([np.array(values) - low, high - np.array(values)]))
    axes.errorbar(
        np.array(at) + shift,
        values,
        around,
        marker="o",
        ms=4,
        lw=1.6,
        elinewidth=1,
        color=colour(number),
        label=name,
    )


def _strips(lower: Any, rounds: Sequence[Round], labels: Sequence[str]) -> None:
    """A row of elites for each round, of its first run."""
    count = min(SHOWN, len(labels))
    panels = np.reshape(lower.subplots(len(rounds), count), (len(rounds), count))
    for one, row in zip(rounds, panels, strict=True):
        for number, axes in enumerate(row):
            image = one.elites[number]
            grey = {"cmap": "gray", "vmin": 0, "vmax": 255} if image.shape[2] == 1 else {}
            axes.imshow(image[..., 0] if grey else image, interpolation="nearest", **grey)
            axes.set_xticks([])
            axes.set_yticks([])
            axes.spines[:].set_color("#bbbbbb")
            if one is rounds[0]:
                axes.set_title(cut(labels[number], 12), fontsize=TEXT - 1)
        row[0].set_ylabel(f"round {one.number}", rotation=0, ha="right", va="center", fontsize=TEXT)
