"""The page of an explanation: a failure costs the reader a picture, or lets a label run as markup."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fooling.present.explain import words
from fooling.present.explain.page import path
from fooling.studies.explain.result import Result


@pytest.fixture(scope="module")
def explained(fooling: Any, small_run: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out: Path = tmp_path_factory.mktemp("explained") / "page"
    done = fooling("explain", small_run[0], "--class", 1, "--class", 8, "--out", out, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == json.loads((out / "explanation.json").read_text())
    return out


def test_every_elite_has_its_pictures(explained: Path) -> None:
    html = (explained / "explain.html").read_text()
    found = Result.model_validate_json((explained / "explanation.json").read_text())
    for one in found.elites:
        assert f'id="class-{one.number}"' in html
    assert html.count("<figure>") >= 10 * len(found.elites)
    assert "http" not in html.replace("http-equiv", "")
    assert "<script" not in html
    for sentence in words.sentences(found):
        assert sentence.replace("'", "&#39;") in html


def test_labels_are_text(explained: Path) -> None:
    from fooling.present.explain.page import page

    found = Result.model_validate_json((explained / "explanation.json").read_text())
    evil = found.elites[0].model_copy(update={"label": "</title><script>alert(1)</script>"})
    assert "<script" not in page(found.model_copy(update={"elites": (evil, *found.elites[1:])}))


def test_a_path_fits_its_chart() -> None:
    assert path([0, 1], [0, 0.5]) == "M0.0 92.0L110.0 0.0"
