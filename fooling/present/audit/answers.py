"""The three questions that a team asks of an audit, answered in a headline and a sentence or two, by fixed rules."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from fooling.present.audit.words import count, images, listed, percent, seconds, times
from fooling.studies.audit.black_box.result import Alarm
from fooling.studies.audit.checks import NOT_MEASURABLE
from fooling.studies.audit.detection.result import DetectorRow
from fooling.studies.audit.effort.result import Effort
from fooling.studies.audit.report import Report
from fooling.studies.audit.result import Result
from fooling.studies.audit.transforms.result import Filter

SURE = 0.99
MANY, FEW = 0.5, 0.1  # shares of classes
NOTICED = 0.5  # of static elites, at 5 % false alarms

Tone = Literal["good", "bad", "mixed", "open"]


@dataclass(frozen=True)
class Answer:
    """An answer.

    Attributes:
        question: what is asked.
        headline: the answer in a few words.
        text: what it rests on.
        tone: "good", "bad", "mixed" for the classifier; "open" where it was not measured.
    """

    question: str
    headline: str
    text: str
    tone: Tone


def answers(report: Result) -> tuple[Answer, Answer]:
    """How easily it is fooled, and whether anything would notice."""
    return _fooled(report), _noticed(report)


def surest_way(report: Result) -> Effort | None:
    """The way of searching that fools most classes, of equals the one that needs the fewest images."""
    found = efforts(report)
    return min(found, key=lambda each: (-each.share, each.images_50 or each.budget), default=None)


def efforts(report: Result, level: float = SURE) -> list[Effort]:
    """The efforts for all classes together, at a level of confidence."""
    every = report.fooled.efforts if report.fooled is not None else ()
    return [each for each in every if each.level == level and each.group is None]


def _fooled(report: Result) -> Answer:
    question, best = "How easily is it fooled?", surest_way(report)
    if best is None:
        return Answer(question, "Not measured", report.stopped or "No search was made.", "open")
    every = best.share == 1
    classes = f"All {best.classes} classes" if every else f"{percent(best.share)} of {best.classes} classes"
    if best.share < FEW:
        headline, tone = "Hardly, within this budget", "good"
    elif best.share < MANY:
        headline, tone = "With some effort", "mixed"
    else:
        headline, tone = "Easily", "bad"
    text = f"{classes} have an image that it gives {percent(SURE)} or more"
    if best.images_50 is not None:
        text += f"; half of them after {images(best.images_50)} images"
        text += f" ({seconds(best.seconds_50)} on this machine)" if best.seconds_50 is not None else ""
    text += f". Found by {WAYS.get(best.method, best.method)}, {count(best.runs, 'run')} of {best.budget:,} images."
    return Answer(question, headline, f"{text} {_looks(report)}".strip(), tone)  # type: ignore[arg-type]


def _looks(report: Result) -> str:
    looks = report.recognition
    if looks is None or looks.fooling is None or looks.why is not None:
        return ""
    return f"Of those images, {percent(looks.fooling)} don't look like their class."


def measured(report: Result) -> list[DetectorRow]:
    """The detectors that could be measured, the one that holds best first."""
    rows = [row for row in report.detectors if row.verdict != NOT_MEASURABLE]
    return sorted(
        rows, key=lambda row: (_of(row.adaptive_success), -_of(row.detected_at_5pct_false_alarms, 0.0))
    )


def _of(share: float | None, without: float = 1.0) -> float:
    return without if share is None else share


def _noticed(report: Result) -> Answer:
    question, rows = "Would anything notice?", measured(report)
    if not rows:
        why = report.stopped or next((row.why for row in report.detectors), "No detector was tried.")
        return Answer(question, "Not measured", f"{why[:1].upper()}{why[1:]}.".replace("..", "."), "open")
    best = rows[0]
    static = max(rows, key=lambda row: _of(row.detected_at_5pct_false_alarms, 0.0))
    caught = _of(static.detected_at_5pct_false_alarms, 0.0)
    text = (
        f"Against images made without knowing of it, {static.title} does best: at 5 % false alarms it rejects "
        f"{percent(caught)}. "
    )
    left = _of(best.adaptive_success)
    if left < FEW:
        text += f"And where the search knows of it, {best.title} leaves {percent(left)} of the classes."
        return Answer(question, f"Yes: {best.title}", text, "good")
    text += (
        f"Where the search knows of the detector, every one of the {len(rows)} is got past: the best, {best.title}, leaves "
        f"{percent(left)} of the classes"
        + (f", for {times(best.effort_ratio)} the images." if best.effort_ratio is not None else ".")
    )
    if caught >= NOTICED:
        return Answer(question, "Only until someone knows it", text, "mixed")
    return Answer(question, "No", text, "bad")


def advice(report: Report) -> list[str]:
    """What to do, most important first: each line follows from a number of the report."""
    return list(_advice(report))


def _advice(report: Report) -> Iterator[str]:
    if report.stopped is not None:
        yield f"Mend the classifier's preprocessing, weights or labels first, then audit again: {report.stopped}"
        return
    best = surest_way(report)
    if best is not None and best.share >= FEW:
        yield (
            "Do not take a high confidence as evidence that an image shows anything: let nothing irreversible follow "
            "from it alone."
        )
    yield from _about_detectors(measured(report))
    yield from _about_filters(report.transforms)
    yield from _about_queries(report)
    if report.images is None:
        yield "Give labelled real images (--samples): without them, no detector and no cost could be measured."
    missing = list(report.access.missing)
    if missing:
        yield f"What needs {listed(missing)} could not be measured; audit the network itself, where you have it."
    yield "Keep report.json, and hold the next version of the classifier against it (--baseline report.json)."


def _about_detectors(rows: Sequence[DetectorRow]) -> Iterator[str]:
    if not rows:
        return
    best = rows[0]
    caught, left = best.detected_at_5pct_false_alarms, _of(best.adaptive_success)
    if left < FEW:
        yield f"Put {best.title} in front, with its threshold at 5 % false alarms, and look at what it rejects."
    elif caught is not None and caught >= NOTICED:
        yield (
            f"{best.title} is worth having as an alarm ({percent(caught)} caught at 5 % false alarms), not as a barrier: "
            f"{percent(left)} of the classes are left to whoever knows it."
        )
    else:
        yield "None of the detectors is worth its false alarms against such images."


def _about_filters(filters: Sequence[Filter]) -> Iterator[str]:
    tried = [each for each in filters if each.evolved is not None and each.evolved.success.value is not None]
    if not tried:
        return
    held = [each for each in tried if each.evolved and _of(each.evolved.success.value) < FEW]
    if held:
        yield f"A filter in front helps: behind {listed([each.name for each in held])} the search found almost nothing."
    else:
        yield (
            f"Do not rely on a filter in front: through each of the {len(tried)} that were tried, a search that knows of "
            "it finds such images again."
        )


def _about_queries(report: Result) -> Iterator[str]:
    """Whether a service that watches its queries for near-copies would notice a search before it has succeeded."""
    scenarios = report.black_box.scenarios if report.black_box is not None else ()
    told = [(each, alarm) for each in scenarios for alarm in each.alarms if alarm.name == "near-copies"]
    if not told:
        return
    late = [
        each
        for each, alarm in told
        if None in alarm.first or _latest(alarm) > (each.queries_50 or each.budget)
    ]
    if not late:
        last = max(_latest(alarm) for _, alarm in told)
        yield f"Watch the queries of each client for near-copies: every search was noticed by query {last:,} at the latest."
    elif all(each.stand_in for each in late):
        yield (
            "Watching queries for near-copies notices a search that begins from nothing in time, but not one that begins "
            "with images of another network: those work at once."
        )
    else:
        yield f"Watching queries for near-copies comes too late in {len(late)} of {count(len(told), 'case')}."


def _latest(alarm: Alarm) -> int:
    return max((query for query in alarm.first if query is not None), default=0)


WAYS = {
    "cppn": "evolving regular patterns (CPPN)",
    "direct": "evolving single pixels",
    "gradient-ascent": "climbing the gradient",
}
