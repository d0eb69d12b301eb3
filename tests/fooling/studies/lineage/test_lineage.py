"""`fooling lineage`: ancestors that were not kept come out as they were, to the bit."""

from __future__ import annotations

import json
import shutil
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fooling.archive import lineage
from fooling.errors import FoolingError, Interrupted
from fooling.present.lineage import page
from fooling.studies.lineage.result import Request, Result
from fooling.studies.lineage.study import study
from fooling.studies.lineage.walk import ancestors, line

CROSSED = (
    "mnist-direct",
    "--set",
    "search.generations=15",
    "--set",
    "search.population=60",
    "--set",
    "encoding.crossover=sbx",
)


@pytest.fixture(scope="module")
def crossed_run(fooling: Any, tmp_path_factory: Any) -> Path:
    """Direct images with crossover: everybody has two parents."""
    out = tmp_path_factory.mktemp("crossed") / "run"
    result = fooling("run", *CROSSED, "--out", out, "--quiet")
    assert result.returncode == 0, result.stderr
    return out


def asked(fooling: Any, run: Path, number: int, tmp_path: Path) -> dict[str, Any]:
    result = fooling("lineage", run, "--class", number, "--out", tmp_path / "page.html", "--json")
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


@pytest.mark.parametrize("number", [0, 7])
def test_what_is_replayed_is_what_was_recorded(
    fooling: Any, small_run: Any, crossed_run: Path, number: int, tmp_path: Path
) -> None:
    """A failure costs the meaning of every picture on the page: it would show somebody else's ancestors."""
    for run in (small_run[0], crossed_run):
        data = asked(fooling, run, number, tmp_path)
        held = [held for ancestor in data["ancestors"] for held in ancestor["held"]]
        recorded = [one for one in held if one["recorded"] is not None]
        assert len(recorded) >= len(held) - len(data["ancestors"]) // 2
        assert all(one["recorded"] == one["confidence"] for one in recorded)
        youngest = data["ancestors"][-1]
        elite = json.loads(fooling("show", run, "--json").stdout)["elites"][number]
        assert youngest["generation"] == elite["generation"]
        assert [one["confidence"] for one in youngest["held"] if one["class"] == number] == [
            elite["confidence"]
        ]


def test_the_family_is_complete(fooling: Any, crossed_run: Path, tmp_path: Path) -> None:
    data = asked(fooling, crossed_run, 3, tmp_path)
    known = {(a["generation"], a["stream"], a["child"]) for a in data["ancestors"]}
    for ancestor in data["ancestors"]:
        parents = [(p["generation"], p["stream"], p["child"]) for p in ancestor["parents"]]
        assert set(parents) <= known
        assert len(parents) == (2 if ancestor["generation"] else 0)
    way = [a for a in data["ancestors"] if a["line"]]
    assert way[0]["generation"] == 0
    assert data["classes_on_the_way"][-1] == 3


def test_the_page_stands_alone(fooling: Any, small_run: Any, tmp_path: Path) -> None:
    asked(fooling, small_run[0], 1, tmp_path)
    text = (tmp_path / "page.html").read_text()
    assert "<script" not in text
    assert "http" not in text.replace("http-equiv", "")
    assert text.count("data:image/png;base64,") >= 1


def test_the_page_is_drawn_from_the_json_alone(fooling: Any, crossed_run: Path, tmp_path: Path) -> None:
    """A failure costs whoever stores results: without the classifier there would be no images any more."""
    result = Result.model_validate_json(json.dumps(asked(fooling, crossed_run, 3, tmp_path)))
    assert page(result) == (tmp_path / "page.html").read_text()


def test_a_study_is_stopped_from_elsewhere(small_run: Any) -> None:
    """A failure costs whoever waits: a service could not end a study that its user has cancelled."""
    stopping = threading.Event()
    stopping.set()
    with pytest.raises(Interrupted):
        study(Request(run=small_run[0], wanted="3"), stopping=stopping)


def test_another_image_than_was_kept_is_refused(fooling: Any, small_run: Any, tmp_path: Path) -> None:
    """A run of another seed's manifest: the keys lead elsewhere."""
    copy = tmp_path / "copy"
    shutil.copytree(small_run[0], copy)
    manifest = json.loads((copy / "manifest.json").read_text())
    manifest["config"]["seed"] = manifest["seed"] = 5
    (copy / "manifest.json").write_text(json.dumps(manifest))
    result = fooling("lineage", copy, "--class", 0)
    assert result.returncode == 3
    assert "expected the replayed elite to be the one that was kept" in result.stderr
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize("flags, code", [(("--class", "10"), 4), ((), 2), (("--class", "-1"), 4)])
def test_bad_input_is_one_line(fooling: Any, small_run: Any, flags: tuple[str, ...], code: int) -> None:
    result = fooling("lineage", small_run[0], *flags)
    assert result.returncode == code
    assert len(result.stderr.splitlines()) == 1


def test_who_is_missing_is_named() -> None:
    table = lineage.records(
        np.array([[1, 0, 4]], np.int32), np.array([[0, 0, 2, 7]], np.int32), np.full((1, 4), -1, np.int32)
    )
    with pytest.raises(FoolingError, match="child 2 of generation 0"):
        ancestors(table, (1, 0, 4))


def test_the_line_is_the_parents_without_the_mates() -> None:
    first = lineage.records(np.array([[0, 0, 1], [0, 0, 2]], np.int32))
    second = lineage.records(
        np.array([[1, 0, 0]], np.int32),
        np.array([[0, 0, 2, 7]], np.int32),
        np.array([[0, 0, 1, 3]], np.int32),
    )
    family = ancestors(np.concatenate([first, second]), (1, 0, 0))
    assert [ancestor.identity for ancestor in family] == [(0, 0, 1), (0, 0, 2), (1, 0, 0)]
    assert [ancestor.identity for ancestor in line(family)] == [(0, 0, 2), (1, 0, 0)]
