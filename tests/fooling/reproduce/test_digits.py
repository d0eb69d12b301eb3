"""The verdict of the digits' experiments, and the page that is shown. A failure costs a scientist's trust: "reproduced"
above a row that says never."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fooling.reproduce.catalogue import UNVERIFIED
from fooling.reproduce.experiments import digits
from fooling.reproduce.page import markdown
from fooling.reproduce.workspace import Workspace

PAPER = Path(__file__).resolve().parents[3] / "docs" / "results" / "paper"
SURE, UNSURE = 0.99995, 0.9


@pytest.mark.parametrize(
    ("encoding", "medians", "every", "holds"),
    [
        ("direct", (SURE, SURE), (49, 12), [True, True]),
        ("direct", (SURE, SURE), (50, 12), [True, False]),
        ("direct", (SURE, SURE), (None, None), [True, False]),
        ("direct", (UNSURE, UNSURE), (None, None), [False, False]),
        ("cppn", (SURE, SURE), (150, 12), [True, True]),
        ("cppn", (SURE, SURE), (150, None), [True, False]),
        ("cppn", (UNSURE, SURE), (None, None), [False, False]),
    ],
)
def test_every_finding_of_the_paper_is_judged(
    encoding: str, medians: tuple[float, ...], every: tuple[int | None, ...], holds: list[bool]
) -> None:
    """A finding holds where it does in every run; the evidence says in how many."""
    claims = digits.claims(encoding, medians, every)
    assert [claim.holds for claim in claims] == holds
    assert f"in {sum(median == SURE for median in medians)} of 2 runs" in claims[0].evidence


def test_a_run_that_never_gets_there_is_not_called_reproduced(workspace: Workspace) -> None:
    """Three generations are too few for any digit to be sure."""
    found = digits.direct(workspace)
    assert any(row.ours.startswith("never") for row in found.rows)
    assert found.verdict != "reproduced"


def test_the_page_that_is_shown_is_made_of_its_data_and_keeps_the_rule() -> None:
    data = json.loads((PAPER / "paper.json").read_text())
    page = (PAPER / "paper.md").read_text()
    assert page == markdown(data)
    assert page.index(UNVERIFIED) < page.index("| experiment | verdict |")
    for one in data["experiments"]:
        assert one["verdict"] != "reproduced" or not any("never" in row["ours"] for row in one["rows"]), one
