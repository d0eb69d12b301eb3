"""What the page of an audit shows, ready for its template: no number is worked out there."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

from fooling.confidence import format_confidence
from fooling.files import json_bytes
from fooling.present.audit import figures
from fooling.present.audit.answers import advice, answers, efforts
from fooling.present.audit.figures import Bar, Chart, Row
from fooling.present.audit.limits import limits
from fooling.present.audit.mapping import PLACES, spoken_for
from fooling.present.audit.repeating import steps
from fooling.present.audit.words import NOTHING, between, images, number, percent, seconds
from fooling.studies.audit.black_box.result import Scenario
from fooling.studies.audit.checks import FAIL, NOT_MEASURABLE, PASS, Check
from fooling.studies.audit.detection.result import DetectorRow
from fooling.studies.audit.recognition.pictures import LIKE, foolers, likest
from fooling.studies.audit.recognition.result import Look, Recognition
from fooling.studies.audit.report import Report, digest_of
from fooling.studies.audit.shares import Share
from fooling.studies.audit.transforms.result import Filter
from fooling.studies.protocol import Interval
from fooling.text import all_plain

ORDER = (FAIL, NOT_MEASURABLE, PASS)
_NOT_DRAWN = (
    "recognition",
    "detectors",
    "transforms",
    "attacks",
    "elites",
    "checks",
    "black_box",
)  # they are drawn in other words


@dataclass(frozen=True)
class Picture:
    """An image on the page.

    Attributes:
        png: in base64; "" where the page asks for it by `sha256`.
        sha256: of its pixels.
        label, confidence, note: below it.
        title: all there is to say of it.
        like: whether it looks like its class.
    """

    png: str
    sha256: str
    label: str
    confidence: str
    note: str
    title: str
    like: bool


@dataclass(frozen=True)
class Table:
    """Numbers behind bars.

    Attributes:
        headings: of the columns after the first, which has names.
        rows: of each, its name and its cells.
    """

    headings: Sequence[str]
    rows: Sequence[tuple[str, Sequence[str]]]


def view_of(report: Report) -> dict[str, Any]:
    """What `audit/body.html.j2` draws of a report, as JSON-like data with every text made plain."""
    looks = report.recognition.looks if report.recognition is not None else ()
    document = report.document()
    detectors, filters = list(map(_detector, report.detectors)), list(map(_filter, report.transforms))
    drawn: dict[str, Any] = {
        "answers": answers(report),
        "advice": advice(report),
        "pictures": [_picture(looks[row]) for row in foolers(looks) if looks[row].png],
        "likest": [_picture(looks[row]) for row in likest(looks) if looks[row].png],
        "recognition": None if report.recognition is None else _looked(report.recognition),
        "effort": _effort(report),
        "efforts": _efforts(report),
        "attacks": _attacks(report),
        "detectors": detectors,
        "detector_numbers": _table(detectors),
        "filters": filters,
        "filter_numbers": _table(filters),
        "services": list(map(_scenario, report.black_box.scenarios)) if report.black_box is not None else [],
        "stand_in": _stand_in(report),
        "limits": limits(report),
        "steps": steps(report),
    }
    told = {name: _plainly(value) for name, value in drawn.items()}
    told["report"] = {name: value for name, value in document.items() if name not in _NOT_DRAWN}
    told["digest"], told["summary"] = digest_of(report), summary(report.checks)
    told["checks"] = [
        [verdict, [check for check in document["checks"] if check["verdict"] == verdict]] for verdict in ORDER
    ]
    told["places"] = [[_plainly(place), len(spoken_for(place, report.checks))] for place in PLACES]
    plain: dict[str, Any] = all_plain(told)
    return plain


def drawn(document: Mapping[str, Any]) -> dict[str, Any]:
    """What `audit/body.html.j2` draws of a report that is kept as JSON, without the images, which a page asks for.

    Raises:
        pydantic.ValidationError: it is no report.
    """
    found = view_of(Report.model_validate_json(json_bytes(document)))
    for shown in (*found["pictures"], *found["likest"]):
        shown["png"] = ""
    return found


def _plainly(value: Any) -> Any:
    """Dataclasses as dictionaries, however deep."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plainly(getattr(value, field.name)) for field in fields(value)}
    return [_plainly(item) for item in value] if isinstance(value, list | tuple) else value


def _looked(found: Recognition) -> dict[str, Any]:
    """What is said of recognisability as a whole."""
    told: dict[str, Any] = found.document()
    told.pop("looks")
    return told


def _picture(look: Look) -> Picture:
    parts = [f"{look.label}: {format_confidence(look.confidence)}, run {look.run}"]
    if look.score is not None:
        parts.append(f"recognisability {number(look.score, 2)}, by {look.basis}")
    if look.panel is not None:
        parts.append(f"other networks give it {percent(look.panel)} on average")
    like = look.score is not None and look.score >= LIKE
    note = f"looks like it ({number(look.score, 2)})" if like else ""
    return Picture(
        png=look.png or "",
        sha256=look.sha256,
        label=look.label,
        confidence=format_confidence(look.confidence),
        note=note,
        title="; ".join(parts),
        like=like,
    )


def _effort(report: Report) -> Chart | None:
    found = efforts(report)
    if not found:
        return None
    names = {"cppn": "patterns (CPPN)", "direct": "single pixels", "gradient-ascent": "gradient"}
    return figures.steps(
        [(names.get(each.method, each.method), each.curve, place) for place, each in enumerate(found)],
        max(each.budget for each in found),
        "images that were classified",
        "classes with an image of 99 % or more",
    )


def _efforts(report: Report) -> list[list[str]]:
    every = report.fooled.efforts if report.fooled is not None else ()
    return [
        [
            each.method,
            number(each.level, 4),
            each.group or "all",
            _with(percent(each.share), each.share_ci95, percent),
            images(each.images_50, each.budget),
            images(each.images_90, each.budget),
            seconds(each.seconds_50),
        ]
        for each in every
    ]


def _table(rows: Sequence[Row]) -> Table:
    """The details of rows, a column for each kind of them."""
    headings = list(dict.fromkeys(name for row in rows for name, _ in row.details))
    filled = [row for row in rows if row.details]
    return Table(
        headings, [(row.name, [dict(row.details).get(name, NOTHING) for name in headings]) for row in filled]
    )


def _attacks(report: Report) -> Chart | None:
    if report.attacks is None:
        return None
    sizes = [float(size) for size in report.attacks.epsilons]
    alone = [curve for curve in report.attacks.curves if curve.transform is None]
    return (
        figures.lines(
            [(curve.attack, sizes, curve.accuracy, place) for place, curve in enumerate(alone)],
            "largest change of a pixel, in grey levels of 255",
            "accuracy that is left",
        )
        if alone
        else None
    )


def bar(value: float | None, interval: Interval | None = None, decimals: int = 0) -> Bar:
    """A share as a bar."""
    low, high = interval or (None, None)
    return Bar(value, low, high, percent(value, decimals))


def _share(share: Share) -> Bar:
    return bar(share.value, share.ci95)


def _detector(row: DetectorRow) -> Row:
    if row.verdict == NOT_MEASURABLE:
        return Row(row.title, note=row.why, verdict=row.verdict)
    passing = None if row.static_success is None else row.static_success
    details = (
        ("AUROC", _with(number(row.auroc), row.auroc_ci95)),
        ("caught at 5 % false alarms", percent(row.detected_at_5pct_false_alarms)),
        ("false alarms when 95 % of fooling images are caught", percent(row.fpr95_fooling_positive)),
        ("missed when 95 % of real images pass", percent(row.fpr95_real_positive)),
        ("real images rejected", percent(row.rejected_real, 1)),
        ("accuracy kept", percent(row.accuracy_kept, 1)),
        ("images, knowing of it", images(row.adaptive_images_50)),
    )
    return Row(
        row.title,
        (bar(passing, row.static_success_ci95), bar(row.adaptive_success, row.adaptive_success_ci95)),
        note="" if row.effort_ratio is None else f"{number(row.effort_ratio, 2)} x the images",
        verdict=row.verdict,
        details=details,
    )


def _with(value: str, interval: Interval | None, shown: Callable[[float], str] = number) -> str:
    return value if interval is None else f"{value} ({shown(interval[0])} to {shown(interval[1])})"


def _filter(each: Filter) -> Row:
    survival = max(each.survival, key=lambda one: one.kept_99.value or 0.0, default=None)
    bars = [Bar(None, None, None, NOTHING) if survival is None else _share(survival.kept_99)]
    bars.append(Bar(None, None, None, NOTHING) if each.evolved is None else _share(each.evolved.success))
    note, details = each.why or "", [("what it is", each.text)]
    details += [(f"{one.encoding} images survive", percent(one.kept_99.value)) for one in each.survival]
    if each.cost is not None and each.cost.accuracy.value is not None:
        lost = each.cost.bare - each.cost.accuracy.value
        note = f"costs {percent(lost, 1)} accuracy" if lost > 0 else "costs no accuracy"
        details.append(
            (
                "accuracy through it",
                f"{percent(each.cost.accuracy.value, 1)} ({between(each.cost.accuracy.ci95, 1)})",
            )
        )
    if each.evolved is not None:
        held = images(each.evolved.images_50, each.evolved.budget)
        details.append(("held for", f"{held} images (half of the classes)"))
        details.append(("without it", images(each.evolved.bare_50)))
    return Row(each.name, bars, note=note, details=details)


def _scenario(found: Scenario) -> Row:
    """What works through a service that says little, within a budget of queries."""
    name = f"{found.text}, {found.budget:,} queries"
    name += ", after images of a stand-in" if found.stand_in else ""
    if found.why is not None:
        return Row(name, note=found.why, verdict=NOT_MEASURABLE)
    first = {alarm.name: [query for query in alarm.first if query is not None] for alarm in found.alarms}
    noticed = [f"{what} at query {min(queries):,}" for what, queries in first.items() if queries]
    share = found.success or found.first
    return Row(
        name,
        [Bar(None, None, None, NOTHING) if share is None else _share(share)],
        note=f"first alarm: {', '.join(noticed)}" if noticed else "no alarm",
    )


def _stand_in(report: Report) -> str:
    """What elites of another network do, one query each."""
    found = report.black_box.stand_in if report.black_box is not None else None
    if found is None or found.at_99 is None or found.at_99.value is None:
        return ""
    return (
        f"Of {found.images} images that were made for {found.model} and sent as they are, {percent(found.at_99.value)} are "
        "given 99 % here: one query each."
    )


def summary(checks: Sequence[Check]) -> str:
    """How many checks have each verdict: "3 fail, 2 not measurable, 9 pass"."""
    return ", ".join(f"{sum(check.verdict == verdict for check in checks)} {verdict}" for verdict in ORDER)
