"""The pages of studies. A failure shows a number that the study did not find, or hides that it failed."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest

from fooling import studies
from fooling.service.jobs import State
from fooling.store.reading import open_run
from fooling.studies.audit.report import report_of
from fooling.studies.compare.comparison import compare
from fooling.studies.compare.study import found as compared
from fooling.studies.lineage.study import study as lineage
from fooling.studies.transfer.study import study as transfer
from tests.fooling.present.audit.conftest import NASTY, made
from tests.fooling.service.conftest import UNKNOWN, Service
from tests.fooling.service.pages.test_frame import BROWSER, data_of

ASKED: dict[str, dict[str, Any]] = {
    "transfer": {"kind": "transfer", "runs": ["RUN"], "to": ["builtin:lenet", "builtin:mlp"]},
    "compare": {"kind": "compare", "runs": ["RUN", "RUN"]},
    "lineage": {"kind": "lineage", "run": "RUN", "class": 3},
    "audit": {"kind": "audit", "model": "builtin:lenet"},
}


@pytest.fixture(scope="module")
def results(small_run) -> dict[str, dict[str, Any]]:
    """What studies of the small run find, each computed once."""
    run = open_run(small_run[0])
    request = {kind: studies.find(kind).Request for kind in ASKED}
    asked = request["transfer"](runs=(small_run[0],), to=("builtin:lenet", "builtin:mlp"))
    return {
        "transfer": transfer(asked).document(),
        "compare": compared(compare([run, run])).document(),
        "lineage": lineage(request["lineage"](run=small_run[0], wanted=3)).document(),
        "audit": report_of(made(), request["audit"](model="builtin:lenet")).document(),
    }


@pytest.fixture
def done(own_service: Service, results, small_run, monkeypatch):
    """Makes a study of a kind in the service that has found its result."""

    def make(asked_for: str, result: Any = None, **changes: Any) -> str:
        asked = json.loads(json.dumps(ASKED[asked_for]).replace("RUN", own_service.run))
        submitted = own_service.jobs.submit(
            asked_for, {key: value for key, value in asked.items() if key != "kind"}
        )
        given = results[asked_for] if result is None else result
        text = json.dumps(given).replace(str(small_run[0]), own_service.run)
        job = submitted.model_copy(update={"state": State.COMPLETED, "ended": datetime.now(UTC), **changes})
        monkeypatch.setattr(own_service.jobs, "result", lambda id: json.loads(text))
        get = own_service.jobs.get
        monkeypatch.setattr(own_service.jobs, "get", lambda id: job if id == job.id else get(id))
        return job.id

    return make


def test_a_transfer_is_drawn_with_its_numbers(own_service: Service, done, results) -> None:
    id = done("transfer")
    page = own_service.client.get(f"/studies/{id}", headers=BROWSER)
    drawn = data_of(page.text)["drawn"]  # type: ignore[index]
    assert drawn["runs"] == [own_service.run]
    assert drawn["sources"] == ["mine"]
    for cell, told in zip(drawn["cells"], results["transfer"]["cells"], strict=True):
        assert (cell["share"], cell["interval"], cell["home"]) == (
            told["same_top1"],
            told["same_top1_ci95"],
            told["target"] == "builtin:lenet",
        )
        assert f"<b>{100 * told['same_top1']:.0f} %</b>" in page.text
    assert len(drawn["images"]) == 10
    assert all(len(image["answers"]) == 2 for image in drawn["images"])
    assert own_service.client.get(f"/studies/{id}.json").json()["drawn"] == drawn


@pytest.mark.parametrize(("kind", "words"), [("compare", "Each run"), ("lineage", "its line of parents")])
def test_other_studies_are_drawn_from_their_results(
    own_service: Service, done, kind: str, words: str
) -> None:
    page = own_service.client.get(f"/studies/{done(kind)}", headers=BROWSER)
    assert page.status_code == 200
    assert words in page.text


def test_a_kind_without_a_page_is_shown_as_a_tree(own_service: Service, done) -> None:
    """A new study is readable before anybody has drawn it, whatever it found, however much."""
    nested: Any = "deep"
    for _ in range(30):
        nested = {"in": [nested, {}]}
    found = {
        "score": 0.25,
        "none": None,
        "many": list(range(1000)),
        "label": "<script>alert(1)</script>",
        "nested": nested,
    }
    found |= {"rows": [{"a": 1, "b": [1.5, 2]}] * 3, "nothing": [], "flag": True, "pair": [0.1, 0.9]}
    page = own_service.client.get(f"/studies/{done('transfer', found, kind='recognition')}", headers=BROWSER)
    assert page.status_code == 200
    assert "0.25" in page.text
    assert "<script>alert" not in page.text
    assert "and 950 more" in page.text
    assert len(page.text) < 500_000


def test_what_cannot_be_read_is_said(own_service: Service, done) -> None:
    page = own_service.client.get(
        f"/studies/{done('transfer', {'kind': 'fooling transfer'})}", headers=BROWSER
    )
    assert page.status_code == 200
    assert "What it found can't be read" in page.text


@pytest.mark.parametrize("state", [State.QUEUED, State.RUNNING, State.FAILED, State.CANCELLED])
def test_a_study_that_is_not_done_says_how_it_stands(own_service: Service, done, state: State) -> None:
    id = done("transfer", state=state, reason="the model has another shape", ended=None)
    page = own_service.client.get(f"/studies/{id}", headers=BROWSER).text
    assert f'class="state {state}"' in page
    assert ("The model has another shape" in page) == (state is State.FAILED)


def test_the_list_names_runs_and_those_that_are_gone(own_service: Service) -> None:
    own_service.client.post(
        "/api/v1/studies", json=json.loads(json.dumps(ASKED["transfer"]).replace("RUN", own_service.run))
    )
    own_service.jobs.delete(own_service.run)
    found = own_service.client.get("/studies.json").json()
    assert [run["name"] for run in found["items"][0]["runs"]] == [None]
    page = own_service.client.get(f"/studies?runs={UNKNOWN}").text
    assert "a run that is gone" in page
    assert own_service.client.get("/studies?runs=x").status_code == 422
    assert own_service.client.get(f"/studies/{UNKNOWN}").status_code == 404


def test_an_audit_is_the_report_and_its_images_are_asked_for(own_service: Service, done) -> None:
    """A failure shows a page without images, which the policy keeps from lying in it, or a label as markup."""
    id = done("audit")
    page = own_service.client.get(f"/studies/{id}", headers=BROWSER).text
    assert "How easily is it fooled?" in page
    assert "<b>né" not in page
    assert "data:image" not in page
    shown = re.findall(rf'src="(/api/v1/studies/{id}/images/[0-9a-f]{{64}}\.png)"', page)
    assert shown
    image = own_service.client.get(shown[0])
    assert image.headers["content-type"] == "image/png"
    assert image.content.startswith(b"\x89PNG")
    assert own_service.client.get(f"/api/v1/studies/{id}/images/{'0' * 64}.png").status_code == 404
    assert NASTY not in page
