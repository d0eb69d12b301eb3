"""The page is what a team decides by. A failure is a page that misleads, runs or fetches something, or lets a label
write into it."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser

import pytest

from fooling.present.audit import folder, junit, table
from fooling.present.audit.answers import advice, answers
from fooling.present.audit.mapping import PLACES
from fooling.studies.audit.gating import Rule
from fooling.studies.audit.report import digest_of, report_of
from fooling.studies.audit.request import Request
from tests.fooling.present.audit.conftest import detector, effort, filter_of, made


class Reader(HTMLParser):
    """Every tag and its attributes, and all text."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.texts = [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.texts.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.texts).split())


def answered(**parts):
    return report_of(made(**parts), Request(model="builtin:lenet"))


def test_the_page_runs_nothing_fetches_nothing_and_shows_labels_as_text(report):
    page = folder.page(report)
    read = Reader(page)
    names = {tag for tag, _ in read.tags}
    assert not names & {"script", "link", "iframe", "object", "b"}
    for _, attributes in read.tags:
        assert "style" not in attributes  # the policy forbids it: it would have no effect
        assert all(not name.startswith("on") for name in attributes)
        for name in ("src", "href"):
            assert (attributes.get(name) or "data:").startswith(("data:image/png", "data:"))
    assert "default-src 'none'" in page
    assert "<b>né</b>" in read.text
    assert "\x1b" not in page
    assert "\u202e" not in page


def test_everything_that_was_looked_at_is_on_the_page(report):
    text = Reader(folder.page(report)).text
    for check in report.checks:
        assert check.id in text
    for row in report.detectors:
        assert row.title in text
    for value in (report.fingerprint, report.images.sha256, digest_of(report), report.made.command):
        assert value in text
    for place in PLACES:
        assert place.name in text
    assert "complies with anything" in text
    assert not re.search(r"\bis compliant\b|2026-08|August 2026", text)


def test_the_digest_on_the_page_is_that_of_the_file(report, tmp_path):
    """A signature over the file is held against what the page says."""
    import hashlib

    files = folder.write(report, tmp_path / "a")
    assert [file.name for file in files] == ["report.html", "report.json", "junit.xml"]
    data = (tmp_path / "a" / "report.json").read_bytes()
    assert hashlib.sha256(data).hexdigest() in (tmp_path / "a" / "report.html").read_text()
    assert json.loads(data) == report.document()


@pytest.mark.parametrize(
    ("share", "headline"), [(1.0, "Easily"), (0.3, "With some effort"), (0.0, "Hardly, within this budget")]
)
def test_how_easily_it_is_fooled_is_told_by_the_share_of_classes(share, headline):
    from fooling.studies.audit.effort.result import Fooled

    found = answers(answered(fooled=Fooled(efforts=(effort("cppn", share),))))[0]
    assert found.headline == headline


@pytest.mark.parametrize(
    ("rows", "headline"),
    [
        ([("a", 0.0, 0.0, 0.99), ("b", 1.0, 1.0, 0.1)], "Yes: a"),
        ([("a", 0.0, 1.0, 0.99), ("b", 1.0, 1.0, 0.1)], "Only until someone knows it"),
        ([("a", 0.9, 1.0, 0.2)], "No"),
        ([], "Not measured"),
    ],
)
def test_a_detector_counts_by_what_it_leaves_to_whoever_knows_it(rows, headline):
    """Static numbers alone are how defences were "proven" that did not hold."""
    found = answers(answered(detectors=tuple(detector(*row) for row in rows)))[1]
    assert found.headline == headline


def test_filters_that_only_help_until_someone_tries_are_not_recommended():
    assert any("Do not rely on a filter" in line for line in advice(answered()))
    better = advice(answered(transforms=(filter_of("halftone", 0.0),)))
    assert any("A filter in front helps: behind halftone" in line for line in better)


def test_what_a_service_would_notice_is_told_by_its_latest_first_alarm():
    text = Reader(folder.page(answered())).text
    assert "noticed by query 12 at the latest" in text
    assert "the first label, 1,000 queries" in text
    assert "needs more queries" in text


def test_an_audit_that_stopped_says_so_first_and_advises_nothing_else():
    bare = {
        "fooled": None,
        "recognition": None,
        "detectors": (),
        "transforms": (),
        "attacks": None,
        "black_box": None,
    }
    stopped = answered(stopped="41 % of 100 test images are named right", **bare)
    assert [answer.headline for answer in answers(stopped)] == ["Not measured", "Not measured"]
    (line,) = advice(stopped)
    assert line.startswith("Mend the classifier")
    assert "41 % of 100" in Reader(folder.page(stopped)).text
    assert stopped.gate.exit_code == 5


def test_a_report_without_real_images_is_drawn_too():
    page = Reader(folder.page(answered(images=None, accuracy=None, accuracy_ci95=None, detectors=())))
    assert "No labelled real images were given" in page.text


def test_junit_fails_where_the_exit_code_does_and_nowhere_else(report):
    """A CI that shows red for exit 0, or green for exit 6, is believed by nobody."""
    suite = ET.fromstring(junit.xml(report)).find("testsuite")
    assert (suite.get("failures"), suite.get("skipped"), suite.get("tests")) == ("1", "2", "4")
    failed = [case.get("name") for case in suite.findall("testcase") if case.find("failure") is not None]
    assert failed == ["detector.energy.adaptive_success>=0.5"]
    assert report.gate.exit_code == 6
    strict = report_of(made(), Request(model="builtin:lenet"), [Rule.parse("fail")])
    assert ET.fromstring(junit.xml(strict)).get("failures") == "2"  # the rule, and the check that broke it


def test_the_terminal_shows_the_answers_and_what_failed(report):
    from rich.console import Console

    console = Console(width=100, record=True, file=open("/dev/null", "w"))
    console.print(*table.pages(report))
    text = console.export_text()
    assert "How easily is it fooled? Easily" in text
    assert "effort.cppn" in text
