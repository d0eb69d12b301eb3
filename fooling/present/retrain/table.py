"""The rounds in the terminal, a line each; fits 80 columns."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table

from fooling.confidence import format_confidence
from fooling.present.listing import listing, words
from fooling.studies.retrain.measures import Round, Share

_HEADINGS = (
    "round", "fooling\nimages", "test\nerror", "median\nconfidence", "trained\non", "held\nout", "new\nelites",
    "random\nimages", "test\nimages",
)  # fmt: skip


def table(rounds: Sequence[Round]) -> Table:
    """What each round brought; the right half: the share that its network calls "fooling"."""
    page = listing(collapse_padding=True)
    for heading in _HEADINGS:
        page.add_column(words(*heading.split("\n")), justify="right", no_wrap=True)
    for one in rounds:
        known = one.recognised
        called: list[Share | None] = [None] * 5
        if known is not None:
            called = [known.trained, known.held_out, known.new, known.unselected, known.false_alarms]
        page.add_row(
            str(one.number),
            f"{one.fooling_images:,}",
            f"{1 - one.accuracy.value:.2%}",
            format_confidence(one.median),
            *(f"{share.value:.1%}" if share else "–" for share in called),
        )
    return page
