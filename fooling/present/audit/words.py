"""Numbers of an audit in words, in one way everywhere."""

from __future__ import annotations

from fooling.studies.protocol import Interval

NOTHING = "–"


def percent(share: float | None, decimals: int = 0) -> str:
    """A share: "97 %". What is not quite all, or not quite nothing, is not rounded to it."""
    if share is None:
        return NOTHING
    value = 100 * share
    text = f"{value:.{decimals}f}"
    if (text == f"{100:.{decimals}f}" and share < 1) or (text == f"{0:.{decimals}f}" and share > 0):
        return percent(share, decimals + 1) if decimals < 3 else f"{value:.3g} %"
    return f"{text} %"


def between(interval: Interval | None, decimals: int = 0) -> str:
    """An interval of a share: "95 to 99 %"; nothing where there is none."""
    if interval is None:
        return ""
    low, high = (f"{100 * end:.{decimals}f}" for end in interval)
    return f"{low} to {high} %"


def number(value: float | None, digits: int = 3) -> str:
    """A number with so many significant digits; a whole one with all of its own."""
    if value is None:
        return NOTHING
    if float(value).is_integer() and abs(value) >= 10**digits:
        return f"{int(value):,}"
    return f"{value:.{digits}g}"


def images(count: float | None, budget: float | None = None) -> str:
    """So many images; where they did not do, "more than" the budget."""
    if count is None:
        return NOTHING if budget is None else f"more than {budget:,.0f}"
    return f"{count:,.0f}"


def seconds(value: float | None) -> str:
    """A time: "4 s", "3 min", "2 h"."""
    if value is None:
        return NOTHING
    for size, unit in ((3600, "h"), (60, "min")):
        if value >= 2 * size:
            return f"{value / size:.0f} {unit}"
    return f"{value:.0f} s" if value >= 1 else "less than 1 s"


def times(ratio: float | None) -> str:
    """A ratio: "3.2 times"."""
    return NOTHING if ratio is None else f"{ratio:.2g} times" if ratio < 10 else f"{ratio:,.0f} times"


def count(number: int, noun: str, plural: str | None = None) -> str:
    """A number of things: "1 class", "10 classes"."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def listed(names: list[str], most: int = 4) -> str:
    """Names in a sentence: "a, b and c"; of many, the first and how many others."""
    if len(names) > most:
        return f"{', '.join(names[: most - 1])} and {len(names) - most + 1} others"
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
