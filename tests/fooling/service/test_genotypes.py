"""The CPPN of an elite over HTTP: as a document, taken apart, changed; and what classifiers say of it."""

from __future__ import annotations

import base64
import io
import json
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from cppn.activations import NAMES
from fooling.service.asking import Asker
from fooling.service.asking.process import Warm
from fooling.store.reading import open_run
from tests.conftest import Command
from tests.fooling.service.asking.fakes import Threads
from tests.fooling.service.conftest import Service, served

CLASS = 3
DIRECT = ("--set", "search.generations=0", "--set", "search.population=10")


@pytest.fixture(scope="module")
def asked(hostile_folder: Path, small_run: Any) -> Iterator[Service]:
    """A service whose classifiers answer in threads of this process."""
    for service in served(hostile_folder, small_run[1]):
        context = service.app.state.context
        context.asker = Asker(context.settings.models, start=Threads(lambda spec: Warm(spec, False)))
        yield service


def elite(service: Service, what: str = "", number: int = CLASS) -> str:
    return f"{service.path}/elites/{number}{what}"


def picture(data: bytes) -> NDArray[np.uint8]:
    return np.asarray(Image.open(io.BytesIO(data)))


def test_a_genotype_is_what_the_command_line_exports(
    service: Service, fooling: Command, tmp_path: Path, small_run: Any
) -> None:
    """A failure gives a program and a person two networks for one image."""
    done = fooling("export", small_run[0], "--format", "json", "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    exported = json.loads((tmp_path / "out" / "0007.json").read_text())
    found = service.client.get(elite(service, "/genotype", 7)).json()
    assert found == exported
    view = open_run(service.root / "mine")
    row = view.stored_rows[7:8]
    genotype = view.archive.genotypes.take(row)
    assert [edge["weight"] for edge in found["edges"]] == genotype.weights.tolist()
    assert (found["class"], found["confidence"]) == (7, float(view.confidence[7]))
    assert found["raster"]["size"] == [28, 28]
    neat = service.client.get(elite(service, "/genotype?form=neat", 7)).json()
    assert neat["network_type"] == "feedforward"
    functions = {node["activation"]["name"] for node in neat["nodes"] if node["type"] != "input"}
    assert functions <= {f"cppn_{name}" for name in NAMES}


def test_the_sheet_of_nodes(service: Service) -> None:
    """A failure cuts the images of nodes out of the wrong places."""
    nodes = service.client.get(elite(service, "/genotype")).json()["nodes"]
    answer = service.client.get(elite(service, "/nodes.png?size=9"))
    sheet = picture(answer.content)
    assert sheet.shape == (9 * -(-len(nodes) // 8), 72)
    x = np.abs(np.linspace(-1, 1, 9)) * 255
    assert np.abs(sheet[:9, :9] - x).max() <= 1
    assert (sheet[:9, 27:36] == 255).all()  # the bias
    tag = answer.headers["etag"]
    assert (
        service.client.get(elite(service, "/nodes.png?size=9"), headers={"if-none-match": tag}).status_code
        == 304
    )
    assert service.client.get(elite(service, "/nodes.png?size=4096")).status_code == 422


def test_a_variation_that_changes_nothing_is_the_elite(asked: Service) -> None:
    """A failure shows another image than the elite, or another answer than its confidence."""
    found = asked.client.post(elite(asked, "/variation"), json={"weights": {}}).json()
    png = asked.client.get(elite(asked, ".png")).content
    assert np.array_equal(picture(base64.b64decode(found["png"])), picture(png))
    view = open_run(asked.root / "mine")
    assert found["asked"]["own"]["confidence"] == pytest.approx(float(view.confidence[CLASS]), abs=1e-6)
    assert found["asked"]["same"] is True
    assert len(found["asked"]["top"]) == 5


def test_a_variation(asked: Service) -> None:
    """A failure moves a weight and shows the old image, or asks about another one than it shows."""
    edges = asked.client.get(elite(asked, "/genotype")).json()["edges"]
    body = {"weights": {str(place): 0 for place in range(len(edges))}, "size": 40}
    found = asked.client.post(elite(asked, "/variation"), json=body).json()
    flat = picture(base64.b64decode(found["png"]))
    assert flat.shape == (40, 40)
    assert len(np.unique(flat)) == 1
    view = open_run(asked.root / "mine")
    native = np.full((1, *view.archive.pixels.shape[1:]), flat[0, 0], np.uint8)
    wanted = asked.app.state.context.asker.ask(view.spec.model, native)
    assert [each["confidence"] for each in found["asked"]["top"]] == [
        each.confidence for each in wanted.top(0)
    ]
    unasked = asked.client.post(elite(asked, "/variation"), json={**body, "ask": False}).json()
    assert (unasked["asked"], unasked["png"]) == (None, found["png"])


def test_answers_are_about_the_elite_that_is_meant(asked: Service) -> None:
    """A failure changes the weights of another network than the page shows, where a run goes on."""
    id = asked.client.get(f"{asked.path}/elites?class={CLASS}").json()["items"][0]["id"]
    for what in ("/variation", "/answers"):
        assert asked.client.post(elite(asked, what), json={"id": id}).status_code == 200
        answer = asked.client.post(elite(asked, what), json={"id": "0/0/77"})
        assert (answer.status_code, "reload" in answer.json()["detail"]) == (409, True)


@pytest.mark.parametrize(
    "body",
    [
        {"weights": {"1000000": 1}},
        {"weights": {"-1": 1}},
        {"weights": {"a": 1}},
        {"weights": {"1.5": 1}},
        {"weights": {"0": "x"}},
        {"weights": {"0": None}},
        {"weights": {"0": 1e39}},
        {"weights": {"0": 10**400}},
        {"weights": [1, 2]},
        {"weights": {str(place): 0.5 for place in range(5000)}},
        {"weights": {}, "size": 100_000},
        {"weights": {}, "size": 0},
        {"weights": {}, "nodes": 10**6},
        [],
        None,
    ],
)
def test_hostile_variations(service: Service, body: Any) -> None:
    """A failure computes for minutes, or writes beyond an array. (Refused before a classifier is asked.)"""
    began = time.process_time()
    answer = service.client.post(elite(service, "/variation"), json=body)
    assert answer.status_code in (400, 422), answer.text
    assert "\n" not in answer.json()["detail"]
    assert time.process_time() - began < 1


def test_a_network_that_is_too_large(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """A failure lets a stranger's run keep the server busy."""
    from fooling.service import varying

    monkeypatch.setattr(varying, "_MOST_WORK", 10_000)
    for answer in (
        service.client.post(elite(service, "/variation"), json={"weights": {}, "size": 256}),
        service.client.get(elite(service, "/nodes.png?size=47")),
    ):
        assert answer.status_code == 422
        assert "size" in answer.json()["detail"]
    monkeypatch.setattr(varying, "_MOST_NODES", 1)
    assert service.client.post(elite(service, "/variation"), json={}).status_code == 422


def test_what_another_model_says(asked: Service) -> None:
    """A failure calls the answer of one classifier another's, or a class of one the same number of another."""
    found = asked.client.post(elite(asked, "/answers"), json={"model": "builtin:mlp"}).json()
    assert (found["model"], found["same"]) == ("builtin:mlp", False)
    assert len(found["top"]) == 5
    home = asked.client.post(elite(asked, "/answers"), json={}).json()
    assert home["same"]
    assert found["top"] != home["top"]
    # The run's labels 0 to 4 were altered, so that class 3 has no name that another model knows; 7 has.
    assert found["own"] is None
    seven = asked.client.post(elite(asked, "/answers", 7), json={"model": "builtin:mlp"}).json()
    assert (seven["own"]["class"], seven["own"]["label"]) == (7, "7")


def test_models_that_may_not_be_asked(asked: Service) -> None:
    """A failure loads any model that somebody names."""
    for spec in ("python:os:system", "file:/etc/passwd", "http:evil.toml"):
        assert asked.client.post(elite(asked, "/answers"), json={"model": spec}).status_code == 403
    for what in ("/genotype", "/nodes.png"):
        assert asked.client.get(elite(asked, what, 99)).status_code == 404
    for what in ("/variation", "/answers"):
        assert asked.client.post(elite(asked, what, 99), json={}).status_code == 404


def test_a_server_that_only_shows_asks_nobody(hostile_folder: Path, small_run: Any) -> None:
    """A failure lets whoever reads keep the machine busy with classifiers."""
    for service in served(hostile_folder, small_run[1], read_only=True):
        assert service.client.post(elite(service, "/answers"), json={}).status_code == 403
        page = service.client.get(f"/runs/{service.run}/elites/{CLASS}.json").json()
        assert (page["models"], page["home"]) == ([], False)


def test_direct_images_have_no_network(tmp_path: Path, small_run: Any, fooling: Command) -> None:
    """A failure shows the graph of a network that there is not."""
    root = tmp_path / "runs"
    done = fooling("run", "mnist-direct", "--out", root / "mine", "--quiet", *DIRECT)
    assert done.returncode == 0, done.stderr
    for service in served(root, small_run[1]):
        assert service.client.get(elite(service, "/genotype")).status_code == 404
        assert service.client.get(elite(service, "/nodes.png")).status_code == 404
        assert service.client.post(elite(service, "/variation"), json={}).status_code == 404
        page = service.client.get(f"/runs/{service.run}/elites/{CLASS}.json").json()
        assert (page["genotype"], page["encoding"], page["rescaled"]) == (None, "direct", False)
    refused = fooling("export", root / "mine", "--format", "json")
    assert refused.returncode == 4
    assert "direct" in refused.stderr
    shutil.rmtree(root)


def test_the_page_tells_what_the_log_tells(service: Service) -> None:
    """A failure shows another history, or a class beside this one that has no elite."""
    page = service.client.get(f"/runs/{service.run}/elites/{CLASS}.json").json()
    listed = service.client.get(f"{service.path}/elites?class={CLASS}").json()["items"][0]
    assert page["elite"] == listed
    assert page["history"][-1]["confidence"] == listed["confidence"]
    assert page["history"][-1]["generation"] == listed["generation"]
    gained = [each["confidence"] for each in page["history"]]
    assert gained == sorted(gained)
    assert (page["before"]["class"], page["after"]["class"]) == (CLASS - 1, CLASS + 1)
    first = service.client.get(f"/runs/{service.run}/elites/0.json").json()
    assert first["before"] is None
    ranks = [
        service.client.get(f"/runs/{service.run}/elites/{each}.json").json()["rank"] for each in range(10)
    ]
    assert min(ranks) == 1
    assert max(ranks) <= 10
    assert service.client.get(f"/runs/{service.run}/elites/99.json").status_code == 404
