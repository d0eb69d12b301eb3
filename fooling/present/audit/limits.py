"""What an audit's numbers do not say: the limits that hold for every report, and those of this one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from fooling.studies.audit.budget import Budget, budget_of
from fooling.studies.audit.checks import NOT_MEASURABLE
from fooling.studies.audit.report import Report


@dataclass(frozen=True)
class Limit:
    """A limit.

    Attributes:
        title: in a few words.
        text: a sentence or two.
    """

    title: str
    text: str


def limits(report: Report) -> list[Limit]:
    """The limits of a report, its own first."""
    return [*_own(report), *GENERAL]


def _own(report: Report) -> Iterator[Limit]:
    if report.stopped is not None:
        yield Limit("The audit stopped.", f"{report.stopped}. Nothing else was measured.")
    if report.depth != "deep":
        yield Limit(f"This is a {report.depth} audit.", depth_note(budget_of(report.depth)))  # type: ignore[arg-type]
    missing = [check for check in report.checks if check.verdict == NOT_MEASURABLE]
    if missing:
        yield Limit(
            f"{len(missing)} checks could not be measured.",
            "They say nothing either way; each is listed with what it lacks.",
        )
    if report.images is not None and report.images.doubts:
        yield Limit("The real images look odd.", " ".join(f"{doubt}." for doubt in report.images.doubts))
    for failure in report.failures:
        yield Limit(f"{failure.what} was left out.", failure.reason)


def depth_note(budget: Budget) -> str:
    """What a depth does, and what a deeper one would do in its place."""
    deeper = {"quick": "normal", "normal": "deep"}.get(budget.depth)
    text = (
        f"{budget.runs} runs of each encoding of {budget.evaluations:,} images; {budget.adaptive_runs} of "
        f"{budget.population * (budget.adaptive_generations + 1):,} against each detector"
    )
    if deeper is None:
        return f"{text}."
    more = budget_of(deeper)  # type: ignore[arg-type]
    return (
        f"{text}. A {deeper} one makes {more.runs} of {more.evaluations:,}, and {more.adaptive_runs} of "
        f"{more.population * (more.adaptive_generations + 1):,}: what holds here may fall there, and the intervals are "
        "wider here."
    )


GENERAL = (
    Limit(
        "A pass is no proof.",
        "It says that these searches, with these budgets, did not succeed. Other searches, or longer ones, may.",
    ),
    Limit(
        "Adaptive means: knows the detector.",
        "The searches see each answer and need no gradient; one with gradients through a detector may be stronger still.",
    ),
    Limit(
        "Images of one run are siblings.",
        "Intervals are bootstrapped over runs where there are several; of few runs they are rough.",
    ),
    Limit(
        "The real images stand for all real images.",
        "Thresholds, false alarms and costs hold for images like those that were given, and for no others.",
    ),
    Limit(
        "Images are 8-bit files at the classifier's own size.",
        "A camera, a resize or a crop before the classifier is not part of this, unless it is among the filters.",
    ),
    Limit(
        "Recognisability is a measurement, no judgement.",
        "A low score says that no real image like it was found among those given. People's answers count more, where "
        "there are some.",
    ),
)
