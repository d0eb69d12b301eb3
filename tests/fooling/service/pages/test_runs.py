"""The page of all runs, its queue and its pictures."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from starlette.testclient import TestClient

from fooling.service.app import create_app
from fooling.service.jobs import Jobs
from fooling.service.previews import preview
from fooling.service.settings import ServiceSettings
from fooling.store.reading import open_run
from tests.fooling.service.conftest import BEARER, HOST, TOKEN, UNKNOWN, Service, served
from tests.fooling.service.pages.test_frame import BROWSER
from tests.fooling.service.test_api import TINY


def test_the_page_lists_filters_and_tells_the_queue(own_service: Service) -> None:
    """A failure hides runs, or tells people a wrong place in the queue."""
    client = own_service.client
    ids = [client.post("/api/v1/runs", json={**TINY, "label": "new"}).json()["id"] for _ in range(3)]
    page = client.get("/runs.json").json()
    assert [job["id"] for job in page["items"]] == [*reversed(ids), own_service.run]
    assert (page["total"], page["everything"], page["page"], page["pages"]) == (4, 4, 1, 1)
    assert [entry["job"]["id"] for entry in page["waiting"]] == ids
    assert page["running"] == []
    facets = {facet["name"]: facet["choices"] for facet in page["facets"]}
    assert {choice["value"]: choice["count"] for choice in facets["state"]} == {"queued": 3, "completed": 1}
    page = client.get("/runs.json?state=completed&state=failed&page=99").json()
    assert [job["id"] for job in page["items"]] == [own_service.run]
    assert (page["page"], page["everything"]) == (1, 4)
    chosen = {choice["value"] for facet in page["facets"] for choice in facet["choices"] if choice["chosen"]}
    assert chosen == {"completed", "failed"}
    assert client.get("/runs.json?label=new&q=MNIST").json()["total"] == 3
    assert page["presets"] == []
    assert client.get("/runs.json?sort=id").status_code == 422
    assert client.get("/?state=nonsense", headers=BROWSER).status_code == 422


def test_a_run_is_moved_in_the_queue(own_service: Service) -> None:
    """A failure computes another run first than the one that somebody moved to the front."""
    client = own_service.client
    first, second, third = (client.post("/api/v1/runs", json=TINY).json()["id"] for _ in range(3))

    def order() -> list[str]:
        return [entry["job"]["id"] for entry in client.get("/runs.json").json()["waiting"]]

    answer = client.post(f"/api/v1/runs/{third}/move", json={"before": first})
    assert (answer.status_code, answer.json()["position"]) == (202, 1)
    assert order() == [third, first, second]
    assert json.loads((own_service.root / ".fooling" / "queue.json").read_text()) == [third, first, second]
    assert client.post(f"/api/v1/runs/{third}/move", json={"before": None}).status_code == 202
    assert order() == [first, second, third]
    assert client.post(f"/api/v1/runs/{own_service.run}/move", json={}).status_code == 409
    assert client.post(f"/api/v1/runs/{first}/move", json={"before": own_service.run}).status_code == 409
    assert client.post(f"/api/v1/runs/{UNKNOWN}/move", json={}).status_code == 404
    assert client.post(f"/api/v1/runs/{first}/move", json={"before": "../x"}).status_code == 422
    assert client.post(f"/api/v1/studies/{first}/move", json={}).status_code == 404
    assert order() == [first, second, third]


def test_the_picture_of_a_run_has_its_surest_elites(own_service: Service) -> None:
    """A failure shows other images than the best, or the images of another run."""
    client = own_service.client
    answer = client.get(f"{own_service.path}/preview.png")
    assert answer.headers["cache-control"] == "private, max-age=31536000, immutable"
    picture = np.asarray(Image.open(io.BytesIO(answer.content)))
    run = open_run(own_service.root / "mine")
    surest = np.argsort(-run.confidence, kind="stable")
    rows = list(dict.fromkeys(run.stored_rows[surest].tolist()))
    for number, row in enumerate(rows[:8]):
        top, left = 90 * (number // 4), 90 * (number % 4)  # 28 pixels three times as large, and a gap of 6
        tile = picture[top : top + 84, left : left + 84]
        assert (tile[..., 3] == 255).all()
        assert np.array_equal(tile[::3, ::3, 0], run.archive.pixels[row][..., 0])
    again = client.get(f"{own_service.path}/preview.png", headers={"if-none-match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    waiting = client.post("/api/v1/runs", json=TINY).json()["id"]
    empty = client.get(f"/api/v1/runs/{waiting}/preview.png")
    assert empty.headers["cache-control"] == "private, no-cache"
    assert not np.asarray(Image.open(io.BytesIO(empty.content))).any()
    assert client.get(f"/api/v1/runs/{UNKNOWN}/preview.png").status_code == 404
    assert preview(None) == empty.content


def test_a_server_that_only_shows_has_no_buttons(hostile_folder: Path, small_run: Any) -> None:
    """A failure invites strangers to press what is refused."""
    for service in served(hostile_folder, small_run[1], read_only=True):
        page = service.stranger.get("/", headers=BROWSER).text
        assert "<body data-read-only>" in page
        assert 'href="/new"' not in page.split("<main")[1]


def test_a_folder_without_runs_says_how_to_begin(tmp_path: Path) -> None:
    """A failure leaves a newcomer before an empty page."""
    jobs = Jobs(tmp_path / "runs", 0)
    app = create_app(jobs, ServiceSettings(root=tmp_path / "runs", token=TOKEN))
    with TestClient(app, base_url=HOST, headers=BEARER) as client:
        page = client.get("/", headers=BROWSER).text
        for preset in client.get("/runs.json").json()["presets"]:
            assert f"/new?preset={preset['name']}" in page
            assert client.get(f"/new?preset={preset['name']}", headers=BROWSER).status_code == 200
    jobs.close()
