"""Rules that a report is held to, and what follows: one verdict, one text and one exit code, made in one place.

A rule says what must not be: `detector.energy.adaptive_success>=0.1` is broken where the number is 0.1 or more. Its name
is the way to a value of the report: `detector`, `transform` and the like are followed by the name of one of them, `check`
by the id of a check, whose `value` is meant where nothing follows; `fail` alone is broken by any check that fails. A
name that the report does not have is an error, and a value that was not measured is said to be so: neither is ever
silently fine.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, cast, get_args, get_origin

from pydantic import BaseModel

from fooling.errors import PARTLY, THRESHOLD, InvalidError, did_you_mean
from fooling.studies.audit.checks import FAIL, NOT_MEASURABLE, PASS, Verdict
from fooling.validation import Data, Many, models_of

ANY_FAILURE = "fail"
Side = Literal[">=", "<=", "==", "!=", ">", "<"]
_SIDES: dict[str, Callable[[Any, Any], Any]] = {
    ">=": operator.ge,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    "<": operator.lt,
}
_RULE = re.compile(r"\s*([\w.\-@/:+ ]+?)\s*(>=|<=|==|!=|>|<)\s*(.+?)\s*")
_PLURALS = {"detector": "detectors", "transform": "transforms", "check": "checks", "attack": "attacks"}
_KEYS = ("id", "name", "method", "detector", "transform", "target")  # by which members of lists are told
_WORDS = {"check": "value"}  # what is meant where a name ends at a member of a list


class Rule(Data):
    """A rule as it was written.

    Attributes:
        text: all of it.
        name: the way to a value of the report, dotted; or `fail`.
        side: how the value is held against the limit: ">=" and the like; None with `fail`.
        limit: a number, or a word such as a verdict.
    """

    text: str
    name: str
    side: Side | None = None
    limit: float | str | None = None

    @classmethod
    def parse(cls, text: str) -> Rule:
        """
        Raises:
            InvalidError: it is no rule.
        """
        if text.strip() == ANY_FAILURE:
            return cls(text=ANY_FAILURE, name=ANY_FAILURE)
        match = _RULE.fullmatch(text)
        if match is None:
            raise InvalidError(
                f"rule {text!r}: expected NAME, one of >= <= == != > <, and a number, like "
                '"detector.energy.adaptive_success>=0.1"; or "fail"'
            )
        name, side, limit = match.groups()
        try:
            number: float | str = float(limit)
        except ValueError:
            number = limit.strip("\"'")
            if side not in ("==", "!="):
                raise InvalidError(
                    f"rule {text!r}: expected a number after {side}, found {limit!r}"
                ) from None
        if number != number:
            raise InvalidError(f"rule {text!r}: expected a number after {side}, found {limit!r}")
        return cls(text=text.strip(), name=name, side=cast(Side, side), limit=number)

    def breaks(self, value: Any) -> bool:
        """Whether a value breaks the rule.

        Raises:
            InvalidError: a word is held against a number.
        """
        assert self.side is not None
        if isinstance(value, str) != isinstance(self.limit, str):
            raise InvalidError(f"rule {self.text!r}: expected {_kind(value)}, as {self.name} is {value!r}")
        return bool(_SIDES[self.side](value, self.limit))


class Ruled(Data):
    """A rule held against a report.

    Attributes:
        rule: as it was written.
        verdict: "not measurable" where the value was not measured.
        value: what the report has there; of `fail`, how many checks failed.
        why: one sentence.
        known: whether it was broken in the earlier report too.
    """

    rule: str
    verdict: Verdict
    value: float | str | None
    why: str
    known: bool = False


class Gate(Data):
    """What follows from a report.

    Attributes:
        verdict: "fail" where a rule is broken, or a check fails that did not in the earlier report; "not measurable" where none
            is, but a rule can't be told; else "pass".
        exit_code: of the command.
        text: the verdict in one line.
        rules: each rule.
        baseline: SHA-256 of the earlier report; None without one.
        new_failures: ids of checks that fail and did not fail in the earlier report; empty without one.
    """

    verdict: Verdict
    exit_code: int
    text: str
    rules: Many[Ruled] = ()
    baseline: str | None = None
    new_failures: Many[str] = ()


def expect_possible(
    rules: Sequence[Rule], report: type[BaseModel], known: Mapping[str, Sequence[str]] | None = None
) -> None:
    """Refuse rules that no report can satisfy, before hours are spent on one.

    Args:
        report: the model of reports.
        known: names of the members of lists, by the list's key, where they are fixed.

    Raises:
        InvalidError: a rule names what no report has.
    """
    for rule in rules:
        if rule.name != ANY_FAILURE:
            first, _, rest = rule.name.partition(".")
            key = _PLURALS.get(first, first)
            _expect(rule.name, report, [key, *(rest.split(".") if rest else [])], known or {})


def _expect(
    rule: str, model: type[BaseModel], parts: Sequence[str], known: Mapping[str, Sequence[str]]
) -> None:
    """The way of a rule through the fields of models. What follows a list is the name of a member, which may have dots."""
    fields = {field.alias or name: field.annotation for name, field in model.model_fields.items()}
    key, rest = parts[0], list(parts[1:])
    if key not in fields:
        singular = {plural: name for name, plural in _PLURALS.items()}
        near = did_you_mean(key, [*fields, *(singular.get(name, name) for name in fields)])
        raise InvalidError(
            f"rule {rule!r}: a report has no {key!r}{near or '; expected one of ' + ', '.join(fields)}"
        )
    inner = models_of(fields[key])
    if not rest or not inner:
        return None
    if not _is_list(fields[key]):
        return _expect(rule, inner[0], rest, known)
    if key in known and not any(f"{'.'.join(rest)}.".startswith(f"{name}.") for name in known[key]):
        near = did_you_mean(rest[0], known[key]) or f"; expected one of {', '.join(known[key])}"
        raise InvalidError(f"rule {rule!r}: a report has no {rest[0]!r} in {key}{near}")
    problems = []
    for cut in range(1, len(rest)):
        try:
            return _expect(rule, inner[0], rest[cut:], known)
        except InvalidError as error:
            problems.append(error)
    if problems and key != _PLURALS["check"]:  # the id of a check may be all that there is
        raise problems[-1]
    return None


def gate(
    report: Mapping[str, Any],
    rules: Sequence[Rule] = (),
    earlier: Mapping[str, Any] | None = None,
    earlier_sha256: str | None = None,
) -> Gate:
    """What follows from a report: the one place where verdict, text and exit code are made.

    Args:
        report: a result's `document()`.
        rules: what must not be.
        earlier: an earlier report's document, whose failures are known.
        earlier_sha256: of its file.

    Raises:
        InvalidError: a rule names what the report does not have.
    """
    held = [_ruled(rule, report, earlier) for rule in rules]
    new = [] if earlier is None else sorted(_failures(report) - _failures(earlier))
    broken = [one for one in held if one.verdict == FAIL and not one.known]
    untold = [one for one in held if one.verdict == NOT_MEASURABLE]
    parts = [one.why for one in broken]
    if new:
        parts.append(f"{_count(new, 'check')} that did not fail before: {', '.join(new)}")
    if report.get("stopped"):
        untold_why = [f"the audit stopped: {report['stopped']}"]
    else:
        untold_why = [one.why for one in untold]
    known = sum(one.verdict == FAIL and one.known for one in held)
    since = f"; {known} broken as before" if known else ""
    if parts:
        verdict, code, text = FAIL, THRESHOLD, "; ".join(parts)
    elif untold_why:
        verdict, code, text = NOT_MEASURABLE, PARTLY, "; ".join(untold_why)
    else:
        verdict, code = PASS, 0
        text = f"{_count(held, 'rule')} kept" if held else "no rule was asked for"
        if earlier is not None:
            text += ", no new failure"
    return Gate(
        verdict=verdict,
        exit_code=code,
        text=f"{verdict}: {text}{since}",
        rules=tuple(held),
        baseline=earlier_sha256,
        new_failures=tuple(new),
    )


def _ruled(rule: Rule, report: Mapping[str, Any], earlier: Mapping[str, Any] | None) -> Ruled:
    if rule.name == ANY_FAILURE:
        failed = sorted(_failures(report))
        before = set() if earlier is None else _failures(earlier)
        why = f"{_count(failed, 'check')} failed: {', '.join(failed)}" if failed else "no check failed"
        known = bool(failed) and set(failed) <= before
        verdict = FAIL if failed else PASS
        return Ruled(rule=rule.text, verdict=verdict, value=float(len(failed)), why=why, known=known)
    value = value_of(report, rule.name)
    if value is None:
        why = f"{rule.name} was not measured, so {rule.text!r} can't be told{_because(report, rule.name)}"
        return Ruled(rule=rule.text, verdict=NOT_MEASURABLE, value=None, why=why)
    broken = rule.breaks(value)
    return Ruled(
        rule=rule.text,
        verdict=FAIL if broken else PASS,
        value=value,
        why=f"{rule.name} is {_shown(value)}" + (f", and {rule.text} was to fail" if broken else ""),
        known=broken and _broken_before(rule, earlier),
    )


def _broken_before(rule: Rule, earlier: Mapping[str, Any] | None) -> bool:
    """Whether an earlier report, which may lack what a later version measures, broke the rule."""
    if earlier is None:
        return False
    try:
        value = value_of(earlier, rule.name)
        return value is not None and rule.breaks(value)
    except InvalidError:
        return False


def value_of(report: Mapping[str, Any], name: str) -> float | str | None:
    """The value that a dotted name leads to; None where it was not measured.

    Raises:
        InvalidError: the report has nothing of that name.
    """
    first, _, rest = name.partition(".")
    found = _walk(report, _PLURALS.get(first, first), rest, name)
    if isinstance(found, Mapping) and first in _WORDS and _WORDS[first] in found:
        found = found[_WORDS[first]]
    if isinstance(found, bool):
        return float(found)
    if found is None or isinstance(found, int | float | str):
        return float(found) if isinstance(found, int) else found
    inside = ", ".join(f"{name}.{key}" for key in list(_members(found))[:6])
    raise InvalidError(f"rule {name!r}: expected the name of one value; did you mean one of {inside}?")


def _walk(found: Any, key: str, rest: str, name: str) -> Any:
    """One step of the way, and the others after it. A key may have dots itself: the longest that fits is taken."""
    members = _members(found)
    if found == [] or found == ():
        return None  # the part that would fill the list was not measured
    parts = [key, *(rest.split(".") if rest else [])]
    for length in range(len(parts), 0, -1):
        step = ".".join(parts[:length])
        if step in members:
            inner, further = members[step], parts[length:]
            if not further or inner is None:
                return inner
            return _walk(inner, further[0], ".".join(further[1:]), name)
    meant = ".".join(parts)
    near = did_you_mean(meant, members) or did_you_mean(key, members)
    listed = ", ".join(list(members)[:12]) + (", ..." if len(members) > 12 else "")
    raise InvalidError(
        f"rule {name!r}: the report has no {meant!r}{near or f'; expected one of {listed or None}'}"
    )


def _members(found: Any) -> dict[str, Any]:
    """What can be named in a value of the report."""
    if isinstance(found, Mapping):
        return {str(key): value for key, value in found.items()}
    if isinstance(found, list | tuple):
        named: dict[str, Any] = {}
        for item in found:
            if isinstance(item, Mapping):
                key = next((str(item[key]) for key in _KEYS if item.get(key) is not None), None)
                if key is not None:
                    named.setdefault(key, item)
        return named
    return {}


def _because(report: Mapping[str, Any], name: str) -> str:
    """The reason that stands beside a value that was not measured."""
    parent = name.rpartition(".")[0]
    for key in ("why", "stopped"):
        try:
            reason = value_of(report, f"{parent}.{key}") if parent else report.get(key)
        except InvalidError:
            continue
        if reason:
            return f": {reason}"
    return f": {report['stopped']}" if report.get("stopped") else ""


def _failures(report: Mapping[str, Any]) -> set[str]:
    return {str(check["id"]) for check in report.get("checks", []) if check.get("verdict") == FAIL}


def _is_list(annotation: Any) -> bool:
    """Whether an annotation, perhaps an optional one, is that of a list."""
    origin = get_origin(annotation)
    return origin in (tuple, list) or any(map(_is_list, get_args(annotation)))


def _count(things: Sequence[Any], noun: str) -> str:
    return f"{len(things)} {noun}{'' if len(things) == 1 else 's'}"


def _shown(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:.6g}"


def _kind(value: Any) -> str:
    return "a word" if isinstance(value, str) else "a number"
