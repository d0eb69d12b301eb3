"""What an experiment found, as data: it is kept as JSON, printed as a table and made into a page."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from fooling.confidence import format_confidence

# "open": it was not run, for want of something that the reason names.
Verdict = Literal["reproduced", "partly", "not reproduced", "open"]


@dataclass(frozen=True)
class Row:
    """One number of the paper's, and ours.

    Attributes:
        quantity: what it is a number of.
        paper: the paper's, in words; "–" where it gives none.
        ours: ours, in words, with its spread.
        values: ours, one per seed; may be empty.
    """

    quantity: str
    paper: str
    ours: str
    values: tuple[float, ...] = ()


@dataclass(frozen=True)
class Figure:
    """A picture.

    Attributes:
        name: of its file, without the suffix; unique within the experiment.
        caption: what it shows, one sentence or two.
        picture: the PNG's bytes; empty where it was read back.
    """

    name: str
    caption: str
    picture: bytes = b""


@dataclass(frozen=True)
class Result:
    """What an experiment found.

    Attributes:
        verdict: whether the paper's finding holds here.
        why: the reason for the verdict, one sentence or two.
        rows: the numbers.
        tests: statistical tests in words, each with its n.
        figures: pictures.
        notes: more in Markdown: what was done, what differs from the paper, further tables.
        numbers: whatever else other programs may want; JSON-like.
    """

    verdict: Verdict
    why: str
    rows: tuple[Row, ...] = ()
    tests: tuple[str, ...] = ()
    figures: tuple[Figure, ...] = ()
    notes: str = ""
    numbers: Mapping[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """As JSON-like data, without the pictures themselves."""
        figures = [{"name": figure.name, "caption": figure.caption} for figure in self.figures]
        return {**asdict(self), "figures": figures, "numbers": dict(self.numbers)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Result:
        """The inverse of `to_dict`."""
        return cls(
            data["verdict"],
            data["why"],
            tuple(Row(**{**row, "values": tuple(row["values"])}) for row in data["rows"]),
            tuple(data["tests"]),
            tuple(Figure(**figure) for figure in data["figures"]),
            data["notes"],
            data["numbers"],
        )


def spread(values: Sequence[float], form: Callable[[float], str] = format_confidence) -> str:
    """The median over seeds, its quartiles while there are enough, and n: "99.99 % (99.9 to 100 %, n = 5)".

    Of fewer than five values the range is given instead of the quartiles.
    """
    if len(values) == 1:
        return f"{form(values[0])} (n = 1)"
    middle = form(statistics.median(values))
    if len(values) < 5:
        low, high, word = min(values), max(values), "range"
    else:
        low, _, high = statistics.quantiles(values, n=4, method="inclusive")
        word = "IQR"
    return f"{middle} ({word} {form(low)} to {form(high)}, n = {len(values)})"


def percent(value: float) -> str:
    """A share: 17.3 %."""
    return f"{100 * value:.1f} %"
