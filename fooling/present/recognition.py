"""What people recognised, in words: a table for the terminal, and the sentences that `show` and the pages have."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from rich.console import RenderableType
from rich.table import Table

from fooling.present.facts import encoding_name
from fooling.present.listing import listing
from fooling.studies.protocol import Interval
from fooling.studies.recognition.result import Answers, Asked, Judged, Result


def sentences(answers: Answers, encoding: str) -> list[str]:
    """What people said, a sentence for each question and kind of image."""
    found: list[str] = []
    if answers.naming is not None:
        found += _sentences(
            answers.naming, "People recognised", f"{encoding_name(encoding)} elites", " (the control)"
        )
    if answers.choice is not None:
        found += _sentences(
            answers.choice, "Of two labels, people chose the classifier's for",
            f"{encoding_name(encoding)} elites", ", and the true one (the control)",
        )  # fmt: skip
    return found


def pages(result: Result) -> Iterator[RenderableType]:
    """A line for each run, question and kind of image; then the same by encoding."""
    page = listing()
    page.add_column("images of", overflow="fold")
    page.add_column("question", no_wrap=True)
    for heading in ("recognised (95 %)", "answers", "chance"):
        page.add_column(heading, justify="right", no_wrap=True)
    for run in result.runs:
        if run.people is None:
            page.add_row(Path(run.run).name, "nobody was asked", "–", "–", "–")
        else:
            _rows(page, f"{Path(run.run).name}, {encoding_name(run.encoding)}", run.people)
    if len(result.runs) > 1:
        for group in result.encodings:
            _rows(page, f"all {group.runs} of {encoding_name(group.encoding)}", group)
    yield page


def share(count: int, of: int, interval: Interval | None) -> str:
    """Like "3 of 12, 25 % (9 to 53 %)"."""
    if interval is None:
        return "–"
    low, high = (round(100 * end) for end in interval)
    return f"{count:,} of {of:,}, {round(100 * count / of)} % ({low} to {high} %)"


def _sentences(asked: Asked, verb: str, elites: str, control: str) -> Iterator[str]:
    for judged, what, more in ((asked.elites, elites, ""), (asked.real, "real images", control)):
        if judged.images and judged.chance is not None:
            low, high = (round(100 * end) for end in judged.recognised_ci95 or (0.0, 1.0))
            yield (
                f"{verb} {judged.recognised:,} of {judged.images:,} {what}{more}: "
                f"{round(100 * judged.recognised / judged.images)} % (95 % interval {low} to {high} %); "
                f"a guess is right {_chance(judged.chance)} of the time."
            )


def _rows(page: Table, name: str, answers: Answers) -> None:
    for asked, question in ((answers.naming, "which class"), (answers.choice, "which of two")):
        for judged, kind in ((asked.elites, "elites"), (asked.real, "real images")) if asked else ():
            if judged.images:
                page.add_row(f"{name}: {kind}", question, *figures(judged))


def figures(judged: Judged) -> tuple[str, str, str]:
    """Images that were recognised, answers that are right, and the share that guessing would have right."""
    return (
        share(judged.recognised, judged.images, judged.recognised_ci95),
        f"{judged.right:,} of {judged.answers:,}",
        "–" if judged.chance is None else _chance(judged.chance),
    )


def _chance(chance: float) -> str:
    return f"{100 * chance:.2g} %"
