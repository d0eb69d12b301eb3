"""The commands that repeat the numbers of a report."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass

from fooling.studies.audit.report import Report

_PARTS = {
    "effort": "How easily it is fooled",
    "recognition": "Whether the images look like their class",
    "detectors": "Detectors",
    "transforms": "Filters in front",
    "attacks": "Accuracy under attacks",
    "black_box": "Through the interface alone",
}


@dataclass(frozen=True)
class Step:
    """A command.

    Attributes:
        what: it repeats.
        command: to type.
    """

    what: str
    command: str


def steps(report: Report) -> list[Step]:
    """The commands, the whole report first."""
    return list(_steps(report))


def _steps(report: Report) -> Iterator[Step]:
    from fooling.studies.audit.parts import PARTS

    yield Step("All of it", report.made.command)
    for part in PARTS:
        if part in _PARTS:
            yield Step(f"{_PARTS[part]} alone", f"{report.made.command} --part {part}")
    for method in report.fooled.methods if report.fooled is not None else ():
        for run in method.runs[:1]:
            yield Step(
                f"That the images of a {method.name} run have their confidences",
                f"fooling show {shlex.quote(run)} --verify",
            )
