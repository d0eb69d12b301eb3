"""People are asked through the service: nothing tells them the truth too early, and nothing they say is lost."""

from __future__ import annotations

import io
import json
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient

from fooling.store import people
from fooling.store.reading import open_run
from tests.fooling.service.conftest import UNKNOWN, Service, served


@pytest.fixture(scope="module")
def album(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty real images in class folders: smooth ones, which compress well, and noise, which doesn't."""
    folder = tmp_path_factory.mktemp("album")
    random = np.random.default_rng(0)
    for number in range(10):
        (folder / str(number)).mkdir()
        for which, pixels in enumerate((np.full((28, 28), 20 * number), random.integers(0, 256, (28, 28)))):
            Image.fromarray(pixels.astype(np.uint8)).save(folder / str(number) / f"{which}.png")
    return folder


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory, small_run: Any, album: Path) -> Iterator[Service]:
    """A service with real images, and a run."""
    root = tmp_path_factory.mktemp("asked") / "runs"
    shutil.copytree(small_run[0], root / "mine")
    yield from served(root, small_run[1], samples=(album,))


def begin(service: Service, **wanted: Any) -> dict[str, Any]:
    answer = service.client.post(f"{service.path}/blind", json={"mode": "naming", "images": 6, **wanted})
    assert answer.status_code == 201, answer.text
    assert service.client.get(answer.headers["location"]).json() == answer.json()
    return answer.json()


def say(service: Service, session: dict[str, Any], answer: int | None, image: int | None = None) -> Any:
    place = session["question"]["number"] if image is None else image
    path = f"{service.path}/blind/{session['session']}/answers"
    return service.client.post(path, json={"image": place, "answer": answer})


def finish(service: Service, session: dict[str, Any], answer: int | None = None) -> dict[str, Any]:
    """Answer what is left, and be told the truth."""
    while (question := session["question"]) is not None:
        given = question["offered"][0]["class"] if question["offered"] else answer
        session = say(service, session, given).json()
    return service.client.get(f"{service.path}/blind/{session['session']}/truth").json()


def test_nothing_tells_what_an_image_is(asked: Service) -> None:
    """A failure lets people guess from an address, a length or a header what they should see."""
    session = begin(asked, images=20, seed=7)
    assert session["total"] == 20
    pictures = [
        asked.client.get(f"{asked.path}/blind/{session['session']}/{place}.png") for place in range(20)
    ]
    assert {answer.status_code for answer in pictures} == {200}
    assert len({len(answer.content) for answer in pictures}) == 1
    headers = [{**answer.headers, "etag": ""} for answer in pictures]
    assert all(one == headers[0] for one in headers)
    shown = [np.asarray(Image.open(io.BytesIO(answer.content))) for answer in pictures]
    assert all(Image.open(io.BytesIO(answer.content)).info == {} for answer in pictures)
    told = finish(asked, session)["items"]
    run = open_run(asked.root / "mine")
    for pixels, item in zip(shown, told, strict=True):
        assert item["real"] != any(np.array_equal(pixels, elite[..., 0]) for elite in run.images)
    assert sum(item["real"] for item in told) == 10
    before = json.dumps(session)
    assert "real" not in before.replace("mine", "")
    assert session["question"].keys() == {"number", "image", "offered"}


def test_the_truth_comes_at_the_end(asked: Service) -> None:
    """A failure tells people what they should see, or counts their answers wrongly."""
    session = begin(asked, images=4, seed=3, person="Ann")
    path = f"{asked.path}/blind/{session['session']}"
    early = asked.client.get(f"{path}/truth")
    assert (early.status_code, "4 images wait" in early.json()["detail"]) == (409, True)
    after = say(asked, session, 7).json()
    assert (after["answered"], after["question"]["number"]) == (1, 1)
    assert say(asked, session, 7).json() == after  # sent again, as after a lost connection
    assert say(asked, session, 3).status_code == 409  # an answer can't be changed
    assert say(asked, session, 3, image=3).status_code == 409  # nor given too early
    told = finish(asked, after)
    assert [item["said"] and item["said"]["class"] for item in told["items"]] == [7, None, None, None]
    for item in told["items"]:
        assert item["right"] == (item["said"] is not None and item["said"]["label"] == item["was"]["label"])
        assert (item["confidence"] is None) == item["real"]
    mine = told["yours"]["naming"]
    assert (mine["elites"]["answers"], mine["real"]["answers"]) == (2, 2)
    assert mine["elites"]["nothing"] + mine["real"]["nothing"] == 3
    run = asked.client.get(asked.path).json()
    assert run["people"]["naming"]["elites"]["answers"] >= 2
    assert told["people"] == run["people"]
    about = asked.client.get(f"{asked.path}/blind").json()
    assert about["people"] == run["people"]
    assert any("CPPN elites" in sentence for sentence in about["said"])
    page = asked.client.get(f"/runs/{asked.run}", headers={"accept": "text/html"})
    assert about["said"][0] in page.text


def test_two_labels(asked: Service) -> None:
    """A failure lets people say "nothing" where they are to guess, or hides the labels."""
    session = begin(asked, mode="choice", images=4)
    offered = session["question"]["offered"]
    assert len({one["label"] for one in offered}) == 2
    assert say(asked, session, None).status_code == 422
    told = finish(asked, session)
    assert told["yours"]["choice"]["elites"]["chance"] == 0.5
    assert all(item["said"] in item["offered"] and item["was"] in item["offered"] for item in told["items"])


def test_a_session_outlives_the_server(asked: Service, album: Path) -> None:
    """A failure costs a person the answers that they have given, or shows them other images afterwards."""
    session = begin(asked, images=8)
    left = say(asked, session, 1).json()
    images = [
        asked.client.get(f"{asked.path}/blind/{left['session']}/{place}.png").content for place in range(8)
    ]
    for again in served(asked.root, asked.told, samples=(album,)):
        assert again.client.get(f"{again.path}/blind/{left['session']}").json() == left
        for place, image in enumerate(images):
            assert again.client.get(f"{again.path}/blind/{left['session']}/{place}.png").content == image
        assert len(finish(again, left)["items"]) == 8
    for without in served(
        asked.root, asked.told
    ):  # the real images are gone, those answered before are told of
        assert without.client.get(f"{without.path}/blind").json()["control"] is False
        items = without.client.get(f"{without.path}/blind/{left['session']}/truth").json()["items"]
        assert [item["image"] is None for item in items] == [item["real"] for item in items]


def test_what_was_said_goes_along(asked: Service, tmp_path: Path) -> None:
    """A failure leaves people's answers behind where a run is exported."""
    finish(asked, begin(asked, images=2), 5)
    export = asked.client.get(f"{asked.path}/export")
    zipfile.ZipFile(io.BytesIO(export.content)).extractall(tmp_path)
    assert people.read(tmp_path / asked.run, 10) == people.read(asked.root / "mine", 10)
    study = {"kind": "recognition", "runs": [asked.run]}
    assert asked.client.post("/api/v1/studies", json=study).status_code == 202


def test_strangers_and_strange_requests(asked: Service) -> None:
    """A failure lets a request write without a token, name a file, or stop the server."""
    session = begin(asked)
    path = f"{asked.path}/blind"
    assert asked.stranger.post(path, json={"mode": "naming"}).status_code == 401
    for body in ({"mode": "both"}, {"mode": "naming", "images": 0}, {"mode": "naming", "samples": "/etc"},
                 {"mode": "naming", "person": "x" * 81}, {"mode": "naming", "images": 10**6}):  # fmt: skip
        assert asked.client.post(path, json=body).status_code == 422, body
    for answer in (10, -1, "3", 2**40):
        assert say(asked, session, answer).status_code == 422, answer  # type: ignore[arg-type]
    for missing in (f"{path}/{'0' * 32}", f"{path}/nonsense", f"{path}/{session['session']}/200.png",
                    f"/api/v1/runs/{UNKNOWN}/blind"):  # fmt: skip
        assert asked.client.get(missing).status_code == 404, missing


def test_the_file_of_a_stranger_costs_nothing(own_service: Service) -> None:
    """A failure makes a run unreadable by a file that only says what people saw in it."""
    path = own_service.root / "mine" / people.NAME
    path.write_bytes(b"\xff\xfe nonsense\n" * 3)
    run = own_service.client.get(own_service.path).json()
    assert (run["archive_sha256"], run["people"]["damaged"]) == (own_service.told["archive_sha256"], 3)
    path.unlink()
    path.symlink_to("/etc/passwd")
    answer = own_service.client.get(own_service.path)  # links make a run directory unreadable as a whole
    assert "root:" not in answer.text
    assert own_service.client.post(f"{own_service.path}/blind", json={"mode": "naming"}).status_code >= 400


def test_a_server_that_only_shows_asks_nobody(tmp_path: Path, small_run: Any) -> None:
    """A failure shows a form that can't be sent."""
    root = tmp_path / "runs"
    shutil.copytree(small_run[0], root / "mine")
    for shown in served(root, small_run[1], read_only=True):
        page = shown.stranger.get(f"/blind/{shown.run}", headers={"accept": "text/html"})
        assert page.status_code == 200
        assert "only shows" in page.text
        assert "<form" not in page.text
        assert shown.client.post(f"{shown.path}/blind", json={"mode": "naming"}).status_code == 403


def test_a_run_without_elites(asked: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """A failure shows a newcomer an error where their run has only just begun."""
    monkeypatch.setattr(type(asked.app.state.context.reader), "reading", lambda self, id: None)
    client: TestClient = asked.client
    page = client.get(f"/blind/{asked.run}", headers={"accept": "text/html"})
    assert page.status_code == 200
    assert "no elite" in page.text
    assert client.post(f"{asked.path}/blind", json={"mode": "naming"}).status_code == 409
