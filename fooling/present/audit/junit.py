"""A report as JUnit's XML, which CI systems show: a case for each rule and for each check.

What fails here is what makes the exit code, and nothing else: a broken rule, a new failure. Another check that fails is
skipped, and says so.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET

from fooling.studies.audit.checks import FAIL, NOT_MEASURABLE, PASS, Verdict
from fooling.studies.audit.gating import ANY_FAILURE, Gate
from fooling.studies.audit.report import Report
from fooling.text import plain


def xml(report: Report) -> bytes:
    """The file, in UTF-8."""
    gate = report.gate
    asked = any(rule.rule == ANY_FAILURE and rule.verdict == FAIL and not rule.known for rule in gate.rules)
    cases: list[ET.Element] = []
    for rule in gate.rules:
        outcome = ("skipped", "as before: ") if rule.known else _outcome(rule.verdict)
        cases.append(_case("rules", rule.rule, outcome, rule.why))
    for check in report.checks:
        outcome = _outcome(check.verdict)
        if check.verdict == FAIL and not (asked or check.id in gate.new_failures):
            outcome = ("skipped", "fail, which no rule asked for: ")
        cases.append(_case("checks", check.id, outcome, check.why))
    if report.stopped is not None:
        cases.append(_case("checks", "audit", ("error", "stopped: "), report.stopped))
    return _file(report, gate, cases)


def _outcome(verdict: Verdict) -> tuple[str, str]:
    return {PASS: ("", ""), FAIL: ("failure", ""), NOT_MEASURABLE: ("skipped", "not measurable: ")}[verdict]


def _case(suite: str, name: str, outcome: tuple[str, str], why: str) -> ET.Element:
    case = ET.Element("testcase", classname=f"fooling.audit.{suite}", name=_text(name), time="0")
    kind, before = outcome
    if kind:
        ET.SubElement(case, kind, message=_text(before + why))
    elif why:
        ET.SubElement(case, "system-out").text = _text(why)
    return case


def _file(report: Report, gate: Gate, cases: list[ET.Element]) -> bytes:
    counts = {
        key: str(sum(case.find(tag) is not None for case in cases))
        for key, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped"))
    }
    name = f"fooling audit {_text(report.model)}"
    told = {"name": name, "tests": str(len(cases)), **counts}
    suites = ET.Element("testsuites", told)
    suite = ET.SubElement(suites, "testsuite", {**told, "timestamp": report.made.date[:19]})
    properties = ET.SubElement(suite, "properties")
    for key, value in (
        ("fingerprint", report.fingerprint),
        ("version", report.made.version),
        ("verdict", gate.text),
    ):
        ET.SubElement(properties, "property", name=key, value=_text(value))
    suite.extend(cases)
    ET.indent(suites)
    found: bytes = ET.tostring(suites, encoding="utf-8", xml_declaration=True)
    return found + b"\n"


def _text(text: str) -> str:
    """Text that XML can hold: control characters are escaped."""
    return plain(text)
