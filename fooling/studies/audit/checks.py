"""Checks: what a number of an audit means, in three states."""

from __future__ import annotations

from typing import Literal

from fooling.studies.protocol import Interval
from fooling.validation import Data

Verdict = Literal["pass", "fail", "not measurable"]
PASS: Verdict = "pass"
FAIL: Verdict = "fail"
NOT_MEASURABLE: Verdict = "not measurable"


class Check(Data):
    """One thing that was looked at.

    Attributes:
        id: dotted, like "detector.energy.direction"; stable between versions.
        verdict: "not measurable" where something is missing that it needs.
        value: what was measured; None where nothing was.
        ci95: its 95 % interval; None where there is none.
        threshold: what the value is held against, with its side, like ">= 0.95".
        why: one sentence: what the verdict rests on, or what is missing.
    """

    id: str
    verdict: Verdict
    value: float | None = None
    ci95: Interval | None = None
    threshold: str | None = None
    why: str = ""


def not_measurable(id: str, why: str, threshold: str | None = None) -> Check:
    """A check of something that can't be measured, and why."""
    return Check(id=id, verdict=NOT_MEASURABLE, threshold=threshold, why=why)


def held(
    id: str, passed: bool, value: float | None, threshold: str, why: str, ci95: Interval | None = None
) -> Check:
    """A check of something that was measured."""
    return Check(
        id=id, verdict=PASS if passed else FAIL, value=value, ci95=ci95, threshold=threshold, why=why
    )
