"""An explanation as files: the data and the page."""

from __future__ import annotations

import base64
from pathlib import Path

from markupsafe import Markup

from fooling.files import json_bytes, write_files
from fooling.present.explain import pictures
from fooling.present.explain.view import drawn, name_of
from fooling.present.gallery import csp_hash
from fooling.present.web import environment
from fooling.present.web.bundle import stylesheet
from fooling.store.reading import open_run
from fooling.studies.explain.result import Result
from fooling.text import all_plain, encoded

DATA, PAGE = "explanation.json", "explain.html"
STYLES = ("tokens.css", "base.css", "explain.css")


def write(result: Result, folder: Path) -> list[Path]:
    """Write an explanation, in place of an older one.

    Returns:
        The files.

    Raises:
        FoolingError: the folder can't be written.
    """
    contents = {DATA: json_bytes(result.document()), PAGE: encoded(page(result))}
    return write_files(folder, contents)


def page(result: Result) -> str:
    """The HTML page: all of it in one file, which asks for nothing and runs nothing."""
    run, style = open_run(result.run), stylesheet(*STYLES)
    elites = {one.number: one for one in result.elites}

    def source(number: int, kind: str) -> str:
        png = pictures.picture(elites[number], run.stored_pixels[run.stored_rows[number]], kind)
        return f"data:image/png;base64,{base64.b64encode(png).decode('ascii')}"

    told = all_plain(drawn(result, name_of(result), source))
    template = environment().get_template("explain/page.html.j2")
    return template.render(told=told, style=Markup(style), style_hash=csp_hash(style))
