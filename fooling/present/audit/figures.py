"""Where the marks of the page's figures stand: numbers for the SVG that its template draws. No colour is said here."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

WIDTH, HEIGHT = 560, 240  # of the area between the axes, in user units


@dataclass(frozen=True)
class Tick:
    """A mark on an axis.

    Attributes:
        at: where, in user units.
        text: what stands beside it.
    """

    at: float
    text: str


@dataclass(frozen=True)
class Line:
    """A line of a figure.

    Attributes:
        name: what it is of.
        path: the `d` of an SVG path.
        end: (x, y) of its last point.
        label: y of its name, apart from those of other lines.
        series: a number that tells its colour and its dashes.
    """

    name: str
    path: str
    end: tuple[float, float]
    label: float
    series: int


@dataclass(frozen=True)
class Chart:
    """Lines over two axes.

    Attributes:
        lines: each of them.
        x, y: the marks of the axes.
        x_name, y_name: what they are.
        width, height: of the area.
    """

    lines: Sequence[Line]
    x: Sequence[Tick]
    y: Sequence[Tick]
    x_name: str
    y_name: str
    width: int = WIDTH
    height: int = HEIGHT


@dataclass(frozen=True)
class Bar:
    """A share as a bar.

    Attributes:
        value: its length, 0 to 1; None where nothing was measured.
        low, high: the ends of its interval; None where there is none.
        text: the share in words.
    """

    value: float | None
    low: float | None
    high: float | None
    text: str


@dataclass(frozen=True)
class Row:
    """Bars beside a name.

    Attributes:
        name: on the left.
        bars: one of each series.
        note: on the right, or in place of the bars.
        verdict: of the row, where it has one.
    """

    name: str
    bars: Sequence[Bar] = ()
    note: str = ""
    verdict: str = ""
    details: Sequence[tuple[str, str]] = field(default=())


PERCENT = tuple((share / 4, f"{25 * share} %") for share in range(5))


def steps(
    curves: Sequence[tuple[str, Sequence[Sequence[float]], int]], end: float, x_name: str, y_name: str
) -> Chart:
    """Shares that only rise, over what was spent, on a logarithmic axis.

    Args:
        curves: of each line its name, its (x, share) points, and its series.
        end: the largest x.
    """
    first = min((point[0] for _, points, _ in curves for point in points if point[0] > 0), default=1.0)
    low = 10 ** math.floor(math.log10(max(first, 1.0)))
    high = max(end, 10 * low)
    span = math.log10(high / low)

    def across(value: float) -> float:
        return WIDTH * min(1.0, max(0.0, math.log10(max(value, low) / low) / span))

    lines = []
    for name, points, series in curves:
        x, y = 0.0, HEIGHT * (1 - _start(points))
        path = [f"M{x:.1f} {y:.1f}"]
        for at, share in points:
            if at <= 0:
                continue
            path.append(f"H{across(at):.1f}V{HEIGHT * (1 - share):.1f}")
            y = HEIGHT * (1 - share)
        path.append(f"H{WIDTH}")
        lines.append((name, "".join(path), (float(WIDTH), y), series))
    decades = range(round(math.log10(low)), math.floor(math.log10(high)) + 1)
    ticks = [Tick(across(10.0**power), f"{10**power:,}") for power in decades]
    return Chart(_apart(lines), ticks, _shares(), x_name, y_name)


def lines(
    curves: Sequence[tuple[str, Sequence[float], Sequence[float], int]], x_name: str, y_name: str
) -> Chart:
    """Shares over numbers, on plain axes.

    Args:
        curves: of each line its name, its x and its shares, and its series.
    """
    most = max((max(xs) for _, xs, _, _ in curves if len(xs)), default=1.0) or 1.0
    drawn = []
    for name, xs, shares, series in curves:
        points = [(WIDTH * x / most, HEIGHT * (1 - share)) for x, share in zip(xs, shares, strict=True)]
        path = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
        drawn.append((name, path, points[-1], series))
    marks = sorted({x for _, xs, _, _ in curves for x in xs})
    kept = marks if len(marks) <= 9 else marks[:: math.ceil(len(marks) / 9)]
    return Chart(_apart(drawn), [Tick(WIDTH * x / most, f"{x:g}") for x in kept], _shares(), x_name, y_name)


def _start(points: Sequence[Sequence[float]]) -> float:
    return max((share for at, share in points if at <= 0), default=0.0)


def _shares() -> list[Tick]:
    return [Tick(HEIGHT * (1 - share), text) for share, text in PERCENT]


def _apart(drawn: Sequence[tuple[str, str, tuple[float, float], int]], gap: float = 17.0) -> list[Line]:
    """The lines with their names moved apart where they would overlap."""
    order = sorted(range(len(drawn)), key=lambda row: drawn[row][2][1])
    heights: dict[int, float] = {}
    last = -math.inf
    for row in order:
        last = heights[row] = max(drawn[row][2][1], last + gap)
    over = max(0.0, last - HEIGHT)
    return [
        Line(name, path, end, heights[row] - over, series)
        for row, (name, path, end, series) in enumerate(drawn)
    ]
