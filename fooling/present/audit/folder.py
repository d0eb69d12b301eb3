"""A report as a folder: the page, the JSON, JUnit's XML, beside the runs and steps that they rest on."""

from __future__ import annotations

import re
from pathlib import Path

from markupsafe import Markup

from fooling.files import json_bytes, write_files
from fooling.present.audit import junit
from fooling.present.audit.view import view_of
from fooling.present.gallery import csp_hash
from fooling.present.web import environment
from fooling.present.web.bundle import stylesheet
from fooling.studies.audit.report import Report
from fooling.text import encoded

DATA, PAGE, XML = "report.json", "report.html", "junit.xml"
STYLES = ("tokens.css", "base.css", "audit.css")


def default(model: str, depth: str, seed: int) -> Path:
    """The folder of an audit that was not given one."""
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", model).strip("-.")[-80:] or "model"
    return Path("audits") / f"{name}-{depth}-seed{seed}"


def write(report: Report, folder: Path) -> list[Path]:
    """Write a report, in place of an older one.

    Returns:
        The files, the page first.

    Raises:
        FoolingError: the folder can't be written.
    """
    contents = {PAGE: encoded(page(report)), DATA: json_bytes(report.document()), XML: junit.xml(report)}
    return write_files(folder, contents)


def page(report: Report) -> str:
    """The HTML page: all of it in one file, which asks for nothing and runs nothing."""
    style = stylesheet(*STYLES)
    return (
        environment()
        .get_template("audit/report.html.j2")
        .render(audit=view_of(report), style=Markup(style), style_hash=csp_hash(style))
    )
