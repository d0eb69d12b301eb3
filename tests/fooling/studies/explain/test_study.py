"""`fooling explain`: a run in, an explanation out."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

import fooling
from fooling.errors import Interrupted, NotFoundError
from fooling.studies.explain.result import Request, Result
from fooling.studies.explain.study import study


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("explained") / "run"
    fooling.run("mnist-cppn", out=out, assignments=["search.generations=30", "search.population=60"])
    return out


def test_two_elites(run: Path, tmp_path: Path) -> None:
    """A failure costs the answer to "why?". The same request gives the same answer, also from JSON, also when it was
    interrupted."""
    request = Request(run=run, classes=(3, 6), out=tmp_path / "kept")
    told: list[str] = []
    found = study(request, report=lambda progress: told.append(progress.text))
    assert told == ["3", "6"]
    assert [one.number for one in found.elites] == [3, 6]
    assert [group.name for group in found.groups] == ["elites", "generation 0"]
    assert {one.method for one in found.trust} == {"integrated gradients", "SmoothTaylor", "fragments"}
    for one in found.elites:
        assert one.probe.saturated[0] == pytest.approx(one.confidence, abs=1e-6)
        assert one.network is not None
        assert len(one.removal.kinds) == one.removal.side**2
        if one.network.needed is not None:
            assert sum(edge.needed for edge in one.network.edges) == one.network.needed
            assert one.network.needed_confidence >= 0.99

    assert Result.model_validate_json(json.dumps(found.document())) == found
    stopped = threading.Event()
    other = Request(run=run, classes=(3, 6), out=tmp_path / "again")
    with pytest.raises(Interrupted):
        study(other, report=lambda progress: stopped.set(), stopping=stopped)
    assert study(other) == found


def test_an_ancestor_as_origin(run: Path, tmp_path: Path) -> None:
    found = study(Request(run=run, classes=(2,), origin="ancestor", out=tmp_path / "kept"))
    (elite,) = found.elites
    assert elite.removal.origin == "ancestor"
    assert elite.removal.origin_confidence < elite.confidence


def test_a_class_without_an_elite_is_named(run: Path, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="class 12 has no elite"):
        study(Request(run=run, classes=(12,), out=tmp_path / "kept"))
