"""The page of an explanation: a failure costs the reader a picture, or lets a label run as markup."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fooling.present.explain import pictures, words
from fooling.present.explain.folder import page
from fooling.present.explain.view import path
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
    assert html.count("data:image/png") == sum(len(pictures.kinds(one)) + 1 for one in found.elites)
    assert "http" not in html.replace("http-equiv", "")
    assert "<script" not in html
    for sentence in words.sentences(found):
        assert sentence.replace("'", "&#39;") in html


def test_labels_are_text(explained: Path) -> None:
    found = Result.model_validate_json((explained / "explanation.json").read_text())
    evil = found.elites[0].model_copy(update={"label": "</title><script>alert(1)</script>"})
    assert "<script" not in page(found.model_copy(update={"elites": (evil, *found.elites[1:])}))


def test_a_path_fits_its_chart() -> None:
    assert path([0, 1], [0, 0.5]) == "M0.0 92.0L110.0 0.0"


def test_the_service_shows_it_too(explained: Path, small_run: Any) -> None:
    """A failure leaves whoever asked in a browser before bare numbers."""
    from fooling.present.explain.view import drawn
    from fooling.store.reading import open_run

    found = Result.model_validate_json((explained / "explanation.json").read_text())
    run, one = open_run(small_run[0]), found.elites[0]
    told = drawn(found, "mine", lambda number, kind: f"/{number}/{kind}.png")
    assert told["elites"][0]["src"]["effects"] == "/1/effects.png"
    json.dumps(told, allow_nan=False)
    pixels = run.stored_pixels[run.stored_rows[one.number]]
    assert all(pictures.picture(one, pixels, kind).startswith(b"\x89PNG") for kind in pictures.kinds(one))
    with pytest.raises(KeyError):
        pictures.picture(one, pixels, "map-9")
