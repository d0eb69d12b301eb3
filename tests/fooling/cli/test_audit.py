"""`fooling audit`: what a CI believes. A failure lets a classifier through that its team had said must not pass, or stops
one for nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fooling.cli import app
from fooling.errors import FoolingError
from fooling.present.audit.folder import default
from fooling.studies.audit import study as audit_study
from fooling.studies.audit.report import Report, read_earlier, schema
from tests.conftest import ROOT
from tests.fooling.present.audit.conftest import detector, made


@pytest.fixture
def audit(monkeypatch, capsys, tmp_path):
    """Calls the program with an audit that takes no time: the exit code, stdout and stderr. `asked` has the requests."""
    asked: list[Any] = []

    def call(*options, found=None):
        def measured(request, *_):
            asked.append(request)
            return found or made()

        monkeypatch.setattr(audit_study, "_found", measured)
        arguments = ["audit", "builtin:lenet", "--out", str(tmp_path / "out"), *options]
        try:
            code = app.cli.main(arguments, prog_name="fooling", standalone_mode=False)
            said = ""
        except FoolingError as error:
            code, said = error.exit_code, str(error)
        out = capsys.readouterr()
        return code, out.out, out.err + said

    call.asked = asked  # type: ignore[attr-defined]
    return call


def test_without_rules_a_report_is_written_and_all_is_well(audit, tmp_path):
    code, out, err = audit("--samples", "mnist", "--quick", "--seed", "3", "--other", "builtin:mlp")
    assert code == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "junit.xml",
        "report.html",
        "report.json",
    ]
    assert "Only until someone knows it" in out
    assert "pass: no rule was asked for" in err
    (request,) = audit.asked
    assert (request.depth, request.seed, request.others) == ("quick", 3, ("builtin:mlp",))
    command = json.loads((tmp_path / "out" / "report.json").read_bytes())["made"]["command"]
    assert command == "fooling audit builtin:lenet --samples mnist --other builtin:mlp --quick --seed 3"


def test_json_is_the_report_and_nothing_else(audit, tmp_path):
    code, out, _ = audit("--json")
    assert code == 0
    assert json.loads(out) == json.loads((tmp_path / "out" / "report.json").read_bytes())
    Report.model_validate_json(out, strict=False)


@pytest.mark.parametrize(
    ("rule", "code"),
    [
        ("detector.knn.adaptive_success>=0.3", 6),
        ("detector.knn.adaptive_success>0.3", 0),
        ("detector.odin.auroc<0.5", 5),
        ("check.effort.cppn.verdict==fail", 6),
    ],
)
def test_a_rule_makes_the_exit_code(audit, rule, code):
    assert audit("--fail-on", rule)[0] == code


@pytest.mark.parametrize(
    ("rule", "hint"),
    [
        ("detector.knn.adaptive_sucess>=0.1", "did you mean adaptive_success"),
        ("detector.kn.adaptive_success>=0.1", "did you mean knn"),
        ("transform.jpeg-57.cost>=0.1", "did you mean jpeg-7"),
        ("acuracy<0.9", "did you mean accuracy"),
        ("accuracy=0.9", "expected NAME"),
    ],
)
def test_a_misspelt_rule_is_told_before_the_work(audit, rule, hint):
    """A gate on a name that is nowhere is green for ever (grafana/k6#1526)."""
    code, out, err = audit("--fail-on", rule)
    assert (code, out, audit.asked) == (3, "", [])
    assert hint in err


def test_only_what_is_new_counts_against_an_earlier_report(audit, tmp_path):
    audit()
    (tmp_path / "out" / "report.json").rename(tmp_path / "old.json")
    rule = ("--baseline", str(tmp_path / "old.json"), "--fail-on", "detector.knn.adaptive_success>=0.3")
    assert audit(*rule)[0] == 0
    worse = made(detectors=(detector("energy", 0.4, 1.0, 0.6), detector("knn", 0.1, 0.5, 0.9)), checks=())
    assert audit(*rule, found=worse)[0] == 0
    assert audit("--fail-on", "detector.knn.adaptive_success>=0.4", *rule[:2], found=worse)[0] == 6


def test_an_earlier_report_that_is_none_is_refused_before_the_work(audit, tmp_path):
    (tmp_path / "other.json").write_text("{}")
    assert audit("--baseline", str(tmp_path / "other.json"))[0] == 3
    assert audit("--baseline", str(tmp_path / "nowhere.json"))[0] == 4
    assert not audit.asked


def test_the_schema_in_the_docs_is_that_of_the_code():
    """Programs that gate by the report are written against it: run `python docs/audit_schema.py`."""
    assert (ROOT / "docs" / "audit.schema.json").read_text(encoding="utf-8") == schema()


def test_an_audit_without_a_folder_gets_one_of_its_own():
    assert str(default("builtin:lenet", "quick", 0)) == "audits/builtin-lenet-quick-seed0"
    assert str(default("file:../a b/é.toml", "normal", 1)) == "audits/file-..-a-b-.toml-normal-seed1"


@pytest.mark.slow
def test_a_quick_audit_from_the_command_line_to_the_page(fooling, tmp_path, assets):
    """All parts that there are, on a real network: the longest way through this software."""
    result = fooling(
        "audit", "builtin:lenet", "--samples", assets / "mnist", "--quick", "--part", "effort", "--part", "recognition",
        "--fail-on", "recognition.fooling>=0.5", "--out", "audit", cwd=tmp_path,
    )  # fmt: skip
    assert result.returncode == 6, result.stderr
    found, _ = read_earlier(tmp_path / "audit" / "report.json")
    assert found["accuracy"] > 0.98
    assert found["gate"]["rules"][0]["verdict"] == "fail"
    assert "How easily is it fooled? Easily" in result.stdout
