"""The page of runs beside each other. A failure names another run as the better one, or shows nothing of one that is still
computed."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest

from fooling.service.jobs import State
from fooling.store.reading import open_run
from fooling.studies.compare.study import Request, study
from tests.fooling.service.conftest import UNKNOWN, served


@pytest.fixture(scope="module")
def two(small_run, tmp_path_factory):
    """A service of two runs on the same classes: the small one, and a copy that is said to have another seed."""
    root = tmp_path_factory.mktemp("compared") / "runs"
    for name in ("mine", "other"):
        shutil.copytree(small_run[0], root / name)
    manifest = root / "other" / "manifest.json"
    content = json.loads(manifest.read_text())
    content["seed"] = content["config"]["seed"] = 7
    manifest.write_text(json.dumps(content))
    yield from served(root, small_run[1])


def ids_of(service):
    items = service.client.get("/api/v1/runs").json()["items"]
    return {job["name"]: job["id"] for job in items}


def test_runs_are_shown_side_by_side(two):
    ids = ids_of(two)
    found = two.client.get(f"/compare.json?runs={ids['mine']},{ids['other']}").json()
    assert found["shown"] == [ids["mine"], ids["other"]]
    assert [run["id"] for run in found["wall"]["runs"]] == found["shown"]
    for run, name in zip(found["wall"]["runs"], ("mine", "other"), strict=True):
        told = open_run(two.root / name)
        assert (run["name"], run["classes"]) == (name, 10)
        assert np.float32(run["median"]) == np.float32(told.statistics.median)
        assert run["curve"][-1][0] <= told.generation
    assert (found["highest"], found["equal"]) == ([0, 0], 10)
    assert found["settings"] == [{"key": "seed", "values": ["0", "7"]}]


def test_a_run_that_is_gone_is_said_and_the_others_are_shown(two):
    mine = ids_of(two)["mine"]
    found = two.client.get(f"/compare.json?runs={mine},{UNKNOWN}").json()
    assert ([job["id"] for job in found["runs"]], found["gone"]) == ([mine], 1)
    assert [job["name"] for job in found["newest"]] == ["other"]
    page = two.client.get(f"/compare?runs={mine},{UNKNOWN}").text
    assert "not there any more" in page


@pytest.mark.parametrize(
    "runs", ["x", f"{UNKNOWN},", f"../{UNKNOWN}", ",".join([UNKNOWN] * 13), f"{UNKNOWN}%00"]
)
def test_hostile_addresses_are_refused(two, runs):
    assert two.client.get(f"/compare.json?runs={runs}").status_code == 422


def test_a_comparison_of_these_runs_is_shown_when_it_is_done(two, monkeypatch):
    """What the study found is on the page, and its p-values are written as everywhere."""
    ids = ids_of(two)
    asked = {"kind": "compare", "runs": [ids["other"], ids["mine"]]}
    job = two.client.post("/api/v1/studies", json=asked).json()
    address = f"/compare?runs={ids['mine']},{ids['other']}"
    assert "appears here" in two.client.get(address).text
    result = study(Request(runs=(two.root / "mine", two.root / "other"))).document()
    monkeypatch.setattr(two.jobs, "result", lambda id: result)
    done = two.jobs.get(job["id"]).model_copy(
        update={"state": State.COMPLETED, "ended": two.jobs.get(ids["mine"]).ended}
    )
    get = two.jobs.get
    monkeypatch.setattr(two.jobs, "get", lambda id: done if id == job["id"] else get(id))
    page = two.client.get(address).text
    assert "differ in their seed alone" in page
    assert "0, 7" in page
