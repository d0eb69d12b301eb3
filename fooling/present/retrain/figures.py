"""The rounds as one picture: error, confidence, what is recognised, and images of each round (after figure 11 of
Nguyen 2015)."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.ticker import MaxNLocator, PercentFormatter
from PIL import Image

from fooling.confidence import log_distance
from fooling.present.grid import image_grid, joined, png_of
from fooling.present.plots import TEXT, colour, confidence_axis, label_ends, panels_of, png
from fooling.studies.retrain.measures import Round, Share
from fooling.text import plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SHOWN = 10  # classes whose elites are shown
_KINDS = {
    "trained": "trained on",
    "held_out": "held out",
    "new": "new elites",
    "unselected": "random images",
    "false_alarms": "test images",
}


def figure(rounds: Sequence[Round], labels: Sequence[str]) -> bytes:
    """A PNG.

    Args:
        rounds: from round 0 on.
        labels: of the classes, "fooling" left out.
    """
    picture, (error, confidence, called) = panels_of(1, 3, 12, 4.2)
    _error(error, rounds)
    _confidence(confidence, rounds)
    _called(called, rounds)
    for axes in (error, confidence, called):
        axes.set_xlabel("round", fontsize=TEXT)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set_xlim(-0.25, rounds[-1].number + 0.25)
    count = min(SHOWN, len(labels))
    elites = image_grid(
        [image for one in rounds for image in one.elites[:count]],
        columns=count,
        heads=[f"round {one.number}" for one in rounds],
        titles=[plain(label)[:12] for label in labels[:count]],
    )
    return png_of(joined([Image.open(io.BytesIO(png(picture))).convert("RGB"), elites], down=True))


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
        axes.plot(
            one.number + spread, log_distance(one.medians), ".", color=colour(0), ms=5, alpha=0.4, mew=0
        )
    axes.plot(
        [one.number for one in rounds], log_distance([one.median for one in rounds]), color=colour(0), lw=1.8
    )
    confidence_axis(axes, "")
    axes.set_title("median confidence of a run's elites", fontsize=TEXT, loc="left")


def _called(axes: Axes, rounds: Sequence[Round]) -> None:
    """The shares that networks call fooling, from round 1 on, with each line's name at its end."""
    known = [(one.number, one.recognised) for one in rounds if one.recognised is not None]
    ends = []
    for number, (kind, name) in enumerate(_KINDS.items() if known else ()):
        shares: list[Share] = [getattr(recognised, kind) for _, recognised in known]
        values, bounds = [share.value for share in shares], [share.interval for share in shares]
        _line(axes, [at for at, _ in known], values, bounds, number, name)
        ends.append((0.0, values[-1], name, colour(number)))
    if ends:
        label_ends(axes, ends, top=1.0, gap=0.075)
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
    style: Any = {"marker": "o", "ms": 4, "lw": 1.6, "elinewidth": 1, "color": colour(number), "label": name}
    axes.errorbar(np.array(at) + shift, values, around, **style)
