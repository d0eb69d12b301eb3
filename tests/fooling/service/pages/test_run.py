"""The page of a run, and what it fetches. A failure here costs the view that people launch runs for."""

from __future__ import annotations

import html
import io
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from fooling.service.history import Histories
from fooling.store.reading import open_run
from tests.fooling.service.conftest import HOSTILE, UNKNOWN, Service


def _page(service: Service, id: str) -> str:
    return service.client.get(f"/runs/{id}", headers={"accept": "text/html"}).text


def _columns(service: Service) -> dict[str, list[Any]]:
    return service.client.get(f"{service.path}/columns").json()


def test_the_page_and_its_twin_tell_the_same(service: Service) -> None:
    page = _page(service, service.run)
    data = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.S)
    assert data is not None
    twin = service.client.get(f"/runs/{service.run}.json").json()
    assert json.loads(html.unescape(data[1])) == twin
    assert twin["job"]["id"] == service.run
    assert twin["begun"]["width"] == 28
    assert ["search.generations", "12"] in twin["begun"]["config"]


def test_the_columns_are_the_elites(service: Service) -> None:
    found = _columns(service)
    run = open_run(service.root / "mine")
    assert found["classes"] == list(range(10))
    np.testing.assert_array_equal(np.array(found["confidence"], np.float32), run.confidence)
    np.testing.assert_array_equal(np.array([found["found"], found["stream"], found["child"]]).T, run.ids)
    np.testing.assert_array_equal(found["top1"], run.top1)


def test_columns_and_labels_that_a_browser_has_are_not_sent_again(service: Service) -> None:
    """A failure costs a megabyte a second for each tab of a run of 21,843 classes."""
    for what in ("columns", "classes"):
        first = service.client.get(f"{service.path}/{what}")
        known = {"if-none-match": first.headers["etag"]}
        assert service.client.get(f"{service.path}/{what}", headers=known).status_code == 304
    assert service.client.get(f"{service.path}/classes").json()["labels"][: len(HOSTILE)] == list(HOSTILE)


def test_the_history_is_the_log(service: Service) -> None:
    found = service.client.get(f"{service.path}/history").json()
    run = open_run(service.root / "mine")
    assert found["generation"] == 12
    assert found["curve"][-1][0] == 12
    assert found["curve"][-1][3] == pytest.approx(run.curve[-1]["median"])
    newest = [[each["class"], each["confidence"]] for each in found["replacements"]]
    gains = [gain for event in run.curve for gain in event["gains"]]
    assert newest == gains[::-1][: len(newest)]
    assert [each["event"] for each in found["notices"]] == ["completed"]


def test_a_history_goes_on_where_it_was(tmp_path: Path) -> None:
    """A failure costs the reading of a whole log, once a second for each page that is open."""
    log, histories = tmp_path / "events.jsonl", Histories()
    assert histories.of("a", log).generation == -1
    event = {"event": "generation", "evaluations": 1, "seconds": 1.0, "median": 0.5, "gains": [[1, 0.5]]}
    lines = [json.dumps({**event, "generation": n, "seconds": float(n)}) + "\n" for n in range(60)]
    log.write_text("".join(lines[:30]))
    assert histories.of("a", log).generation == 29
    log.write_text("".join(lines) + json.dumps({"event": "warning", "text": "hot"}) + "\n")
    found = histories.of("a", log)
    assert found.generation == 59
    assert [row[0] for row in found.curve] == [0, 59]  # nothing moved between
    assert [each.generation for each in found.replacements[:2]] == [59, 58]
    assert [each.text for each in found.notices] == ["hot"]


def test_the_film_ends_with_the_elite_and_begins_with_noise(service: Service) -> None:
    film = service.client.get(f"{service.path}/elites/3/film").json()
    assert film["why"] == ""
    assert film["frames"][0]["generation"] == 0
    run = open_run(service.root / "mine")
    for frame in film["frames"]:
        answer = service.client.get(frame["image"])
        assert answer.status_code == 200
    shown = np.asarray(Image.open(io.BytesIO(answer.content)))
    np.testing.assert_array_equal(shown, run.elite(3).pixels[:, :, 0])
    assert service.client.get(f"{service.path}/elites/3/film/0.png?of=1-2-3").status_code == 404
    assert service.client.get(f"{service.path}/elites/3/film/99999.png").status_code == 404


def test_hostile_labels_are_in_no_page(service: Service) -> None:
    assert "<script>alert" not in _page(service, service.run)


@pytest.mark.parametrize("path", ["columns", "classes", "history", "elites/1/film"])
def test_what_is_not_there_is_not_found(service: Service, path: str) -> None:
    assert service.client.get(f"/api/v1/runs/{UNKNOWN}/{path}").status_code == 404
    assert service.client.get(f"/runs/{UNKNOWN}").status_code == 404


def test_runs_that_have_nothing_yet_or_are_damaged_have_a_page(own_service: Service) -> None:
    """A failure costs the page of exactly the run that its owner worries about."""
    queued = own_service.client.post("/api/v1/runs", json={"label": HOSTILE[0]}).json()["id"]
    twin = own_service.client.get(f"/runs/{queued}.json").json()
    assert (twin["begun"], twin["damaged"], twin["job"]["state"]) == (None, "", "queued")
    assert html.escape(HOSTILE[0]) in _page(own_service, queued)
    assert own_service.client.get(f"/api/v1/runs/{queued}/columns").status_code == 404
    assert own_service.client.get(f"/api/v1/runs/{queued}/history").json()["generation"] == -1
    manifest = own_service.root / "mine" / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"output": "logits"', '"output": "tea leaves"'))
    damaged = own_service.client.get(f"/runs/{own_service.run}.json").json()["damaged"]
    assert "output" in damaged
    assert str(own_service.root) not in damaged
