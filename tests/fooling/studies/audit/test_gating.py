"""Rules gate other people's releases. A rule that is misread, or silently about nothing, lets a broken classifier
through, and nobody looks."""

import re

import pytest

from fooling.errors import InvalidError
from fooling.studies.audit.gating import Rule, expect_possible, gate, value_of
from fooling.studies.audit.result import Result

REPORT = {
    "model": "builtin:lenet",
    "accuracy": 0.99,
    "stopped": None,
    "fooled": {"efforts": [{"method": "cppn", "level": 0.99, "share": 1.0}], "why": None},
    "detectors": [
        {"name": "energy", "adaptive_success": 0.1, "auroc": None, "why": "needs logits: it puts out scores"},
        {"name": "knn", "adaptive_success": 0.0, "auroc": 0.97, "verdict": "pass"},
    ],
    "checks": [
        {"id": "accuracy", "verdict": "pass", "value": 0.99},
        {"id": "detector.energy", "verdict": "fail", "value": 0.1},
        {
            "id": "detector.energy.direction",
            "verdict": "not measurable",
            "value": None,
            "why": "needs logits",
        },
    ],
}


def held(*rules, earlier=None, report=REPORT):
    return gate(report, [Rule.parse(rule) for rule in rules], earlier)


@pytest.mark.parametrize(
    ("rule", "broken"),
    [
        ("detector.energy.adaptive_success>=0.1", True),
        ("detector.energy.adaptive_success > 0.1", False),
        ("detector.energy.adaptive_success<=0.1", True),
        ("detector.energy.adaptive_success<0.1", False),
        ("detector.energy.adaptive_success==0.1", True),
        ("detector.energy.adaptive_success!=0.1", False),
        ("detector.knn.verdict==pass", True),
        ("accuracy<0.98", False),
        ("fooled.efforts.cppn.share>=1", True),
        ("check.detector.energy>0", True),
        ("check.detector.energy.verdict==fail", True),
        ("fail", True),
    ],
)
def test_a_rule_is_broken_on_its_side_of_the_limit_and_equality_counts(rule, broken):
    found = held(rule)
    assert (found.rules[0].verdict == "fail") == broken
    assert found.exit_code == (6 if broken else 0)
    assert found.verdict == ("fail" if broken else "pass")
    assert found.text.startswith(found.verdict)


def test_the_longest_id_is_meant_where_ids_have_dots():
    """`detector.energy.direction` is a check of its own, no part of `detector.energy`."""
    assert value_of(REPORT, "check.detector.energy") == 0.1
    assert value_of(REPORT, "check.detector.energy.direction") is None


@pytest.mark.parametrize(
    ("rule", "hint"),
    [
        ("detector.enrgy.adaptive_success>=0.1", "did you mean energy"),
        ("detector.energy.adaptive_sucess>=0.1", "did you mean adaptive_success"),
        ("detecter.energy.adaptive_success>=0.1", "did you mean detectors"),
        ("detector.energy>=0.1", "detector.energy.adaptive_success"),
        ("check.acuracy<1", "did you mean accuracy"),
    ],
)
def test_a_name_that_the_report_does_not_have_is_an_error_with_a_suggestion(rule, hint):
    with pytest.raises(InvalidError, match=re.escape(hint)):
        held(rule)


@pytest.mark.parametrize(
    "text", ["", "accuracy", "accuracy=1", "accuracy>=", "accuracy>=nan", "accuracy>=high"]
)
def test_what_is_no_rule_is_refused(text):
    with pytest.raises(InvalidError, match="rule"):
        Rule.parse(text)


def test_a_word_is_not_held_against_a_number():
    with pytest.raises(InvalidError, match="expected a word"):
        held("detector.knn.verdict==1")


def test_a_value_that_was_not_measured_is_no_pass():
    found = held("detector.energy.auroc<0.9")
    assert (found.verdict, found.exit_code) == ("not measurable", 5)
    assert "needs logits" in found.text


def test_an_audit_that_stopped_or_left_a_part_out_is_no_pass():
    bare = {**REPORT, "detectors": [], "checks": []}
    found = held("detector.energy.adaptive_success>=0.1", report=bare)
    assert (found.verdict, found.exit_code) == ("not measurable", 5)
    found = held(report={**bare, "stopped": "accuracy is 41 %"})
    assert (found.verdict, found.exit_code) == ("not measurable", 5)
    assert "accuracy is 41 %" in found.text


def test_a_broken_rule_weighs_more_than_one_that_cannot_be_told():
    assert held("detector.energy.auroc<0.9", "accuracy<1").exit_code == 6


def test_with_an_earlier_report_only_what_is_new_fails():
    assert held("fail", "detector.energy.adaptive_success>=0.1", earlier=REPORT).exit_code == 0
    better = {**REPORT, "checks": REPORT["checks"][:1], "detectors": []}
    found = held("detector.energy.adaptive_success>=0.1", earlier=better)
    assert found.exit_code == 6
    assert found.new_failures == ("detector.energy",)
    assert held(earlier=better).exit_code == 6
    assert held(earlier=REPORT).exit_code == 0


def test_without_rules_a_report_is_only_a_report():
    assert held().exit_code == 0


@pytest.mark.parametrize(
    ("rule", "hint"),
    [
        ("acuracy<0.9", "did you mean accuracy"),
        ("check.accuracy<0.9", None),
        ("check.detector.energy.direction.verdict==fail", None),
        ("recognition.fooling>=0.1", None),
        ("recognition.foolin>=0.1", "did you mean fooling"),
        ("fooled.efforts.cppn.share>=0.5", None),
        ("fooled.efforts.cppn.shar>=0.5", "did you mean share"),
        ("fail", None),
    ],
)
def test_a_misspelt_name_is_told_before_the_audit(rule, hint):
    if hint is None:
        expect_possible([Rule.parse(rule)], Result)
        return
    with pytest.raises(InvalidError, match=hint):
        expect_possible([Rule.parse(rule)], Result)


def test_the_member_of_a_list_is_told_too_where_its_names_are_known():
    with pytest.raises(InvalidError, match="did you mean cppn"):
        expect_possible([Rule.parse("fooled.efforts.cpnn.share>=0.5")], Result, {"efforts": ["cppn"]})
