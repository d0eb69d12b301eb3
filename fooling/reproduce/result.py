"""What an experiment found, as data: it is kept as JSON, printed as a table and made into a page."""

from __future__ import annotations

import json
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from fooling.confidence import format_confidence
from fooling.files import json_bytes
from fooling.store.steps import Form

# "open": nothing was tested, for want of something that the evidence names.
Verdict = Literal["reproduced", "partly", "not reproduced", "open"]


@dataclass(frozen=True)
class Claim:
    """A finding of the paper, held against what was found here.

    Attributes:
        name: the finding, a sentence without its full stop.
        holds: whether it holds here; None where it could not be tested.
        evidence: the numbers that say so, in a sentence or two.
    """

    name: str
    holds: bool | None
    evidence: str


def verdict_of(claims: Sequence[Claim]) -> Verdict:
    """Reproduced where every claim that was tested holds, partly where some do; open where none was tested."""
    tested = [claim.holds for claim in claims if claim.holds is not None]
    if not tested:
        return "open"
    return "reproduced" if all(tested) else "partly" if any(tested) else "not reproduced"


@dataclass(frozen=True)
class Row:
    """A number of the paper, and ours.

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

    @classmethod
    def over(
        cls,
        quantity: str,
        values: Sequence[float],
        form: Callable[[float], str] = format_confidence,
        paper: str = "–",
    ) -> Row:
        """A row of a value per seed, whose spread is put into words."""
        return cls(quantity, paper, spread(values, form), tuple(map(float, values)))


@dataclass(frozen=True)
class Figure:
    """A picture.

    Attributes:
        name: of its file, without the suffix; unique within the experiment.
        caption: what it shows, one sentence or two.
        picture: the bytes of the PNG; empty where the result was read back.
    """

    name: str
    caption: str
    picture: bytes = b""


@dataclass(frozen=True)
class Result:
    """What an experiment found.

    Attributes:
        claims: the findings of the paper, each with our evidence.
        rows: the numbers.
        tests: statistical tests in words, each with its n.
        figures: pictures.
        notes: more in Markdown: what was done, what differs from the paper, further tables.
        numbers: whatever else other programs may want; JSON-like.
    """

    claims: tuple[Claim, ...]
    rows: tuple[Row, ...] = ()
    tests: tuple[str, ...] = ()
    figures: tuple[Figure, ...] = ()
    notes: str = ""
    numbers: Mapping[str, Any] = field(default_factory=dict)

    @property
    def verdict(self) -> Verdict:
        """Whether the findings of the paper hold here."""
        return verdict_of(self.claims)

    @property
    def why(self) -> str:
        """The evidence of all claims."""
        return " ".join(claim.evidence for claim in self.claims if claim.evidence)

    def to_dict(self) -> dict[str, Any]:
        """The result as JSON-like data, without the pictures themselves."""
        figures = [{"name": figure.name, "caption": figure.caption} for figure in self.figures]
        return {
            "verdict": self.verdict,
            "why": self.why,
            **asdict(self),
            "figures": figures,
            "numbers": dict(self.numbers),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Result:
        """The inverse of `to_dict`."""
        return cls(
            tuple(Claim(**claim) for claim in data["claims"]),
            tuple(Row(**{**row, "values": tuple(row["values"])}) for row in data["rows"]),
            tuple(data["tests"]),
            tuple(Figure(**figure) for figure in data["figures"]),
            data["notes"],
            data["numbers"],
        )


# A result that was kept before there were claims reads as None, so the experiment is done anew from its runs.
RESULT: Form[Result | None] = Form(
    ".json",
    lambda file, result: file.write(json_bytes({"result": result and result.to_dict()})),
    lambda file: Result.from_dict(data) if "claims" in (data := json.load(file)["result"]) else None,
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
    """A share, like "17.3 %"."""
    return f"{100 * value:.1f} %"
