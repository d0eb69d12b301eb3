"""A report in the terminal: the three answers, what failed, and the detectors and filters in lines."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import RenderableType

from fooling.present.audit.answers import advice, answers
from fooling.present.audit.view import summary
from fooling.present.audit.words import percent
from fooling.present.listing import listing, words
from fooling.studies.audit.checks import FAIL, NOT_MEASURABLE
from fooling.studies.audit.report import Report

MOST = 8  # checks that fail and are told one by one
_STYLES = {"good": "green", "bad": "red", "mixed": "yellow", "open": "dim"}


def pages(report: Report) -> Iterator[RenderableType]:
    """Of a report, what fits a screen or two."""
    for answer in answers(report):
        yield words(f"{answer.question} {answer.headline}", style=f"bold {_STYLES[answer.tone]}")
        yield words(answer.text)
    yield words("What should we do?", style="bold")
    for line in advice(report):
        yield words(f"- {line}")
    if report.detectors:
        yield _detectors(report)
    if report.transforms:
        yield _filters(report)
    failed = [check for check in report.checks if check.verdict == FAIL]
    yield words(f"Checks: {summary(report.checks)}.", style="bold")
    for check in failed[:MOST]:
        yield words(f"fail {check.id}: {check.why}")
    if len(failed) > MOST:
        yield words(f"{len(failed) - MOST} others that fail are in the report.")


def _detectors(report: Report) -> RenderableType:
    page = listing()
    page.add_column("detector", overflow="fold")
    for heading in ("caught at 5 %", "classes left", "knowing of it"):
        page.add_column(heading, justify="right", no_wrap=True)
    for row in report.detectors:
        if row.verdict == NOT_MEASURABLE:
            page.add_row(row.title, "not measurable", "", "")
        else:
            shares = (row.detected_at_5pct_false_alarms, row.static_success, row.adaptive_success)
            page.add_row(row.title, *map(percent, shares))
    return page


def _filters(report: Report) -> RenderableType:
    page = listing()
    page.add_column("filter in front", overflow="fold")
    for heading in ("images survive", "found through it", "accuracy"):
        page.add_column(heading, justify="right", no_wrap=True)
    for each in report.transforms:
        survive = max((one.kept_99.value or 0.0 for one in each.survival), default=None)
        found = None if each.evolved is None else each.evolved.success.value
        accuracy = None if each.cost is None else each.cost.accuracy.value
        page.add_row(each.name, percent(survive), percent(found), percent(accuracy, 1))
    return page
