"""The API as a program uses it."""

from __future__ import annotations

import io
import json
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from fooling.errors import NotFoundError
from fooling.service.jobs import Job
from fooling.service.live import EventId
from fooling.service.settings import Limits
from fooling.store.reading import open_run
from fooling.store.summary import summary
from tests.conftest import ROOT
from tests.fooling.service.conftest import Service, served

TINY = {"config": "mnist-cppn", "set": {"search.generations": 2}}


def test_the_openapi_document_is_up_to_date() -> None:
    """`python docs/openapi.py` writes it. A failure gives people who generate a client from it another server's."""
    from docs import openapi

    assert json.loads((ROOT / "docs" / "openapi.json").read_text()) == json.loads(openapi.document())


def test_a_run_over_http_is_what_the_command_line_says(service: Service) -> None:
    """A failure shows another run than the one that was computed."""
    found = service.client.get(service.path).json()
    for key in (
        "archive_sha256",
        "lineage_sha256",
        "generations",
        "config",
        "seed",
        "model",
        "top1",
        "goal_switches",
    ):
        assert found[key] == service.told[key], key
    assert found["confidence"] == service.told["confidence"] | {"occupied": 10}
    assert found["state"] == "completed"
    assert str(service.root) not in json.dumps(found)


def test_elites_are_those_of_the_command_line(service: Service) -> None:
    """A failure gives a program other confidences than a person sees."""
    items = service.client.get(f"{service.path}/elites").json()["items"]
    for item, told in zip(items, service.told["elites"], strict=True):
        for key in ("class", "confidence", "generation"):
            assert item[key] == told[key]


@pytest.mark.parametrize(
    "sort", ["class", "-class", "confidence", "-confidence", "generation", "-generation", "label"]
)
def test_pages_are_the_whole_list(service: Service, sort: str) -> None:
    """A failure loses elites between two pages, or shows one on both."""
    whole = service.client.get(f"{service.path}/elites?sort={sort}").json()["items"]
    seen: list[Any] = []
    cursor = ""
    while True:
        page = service.client.get(f"{service.path}/elites?sort={sort}&limit=3{cursor}").json()
        seen += page["items"]
        assert page["total"] == len(whole) == 10
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert seen == whole
    key = sort.lstrip("-")
    values = [item[key] for item in whole]
    assert values == sorted(values, reverse=sort.startswith("-"))


def test_a_cursor_belongs_to_its_list(service: Service) -> None:
    """A failure goes on in the middle of another list."""
    cursor = service.client.get(f"{service.path}/elites?limit=3").json()["next"]
    assert service.client.get(f"{service.path}/elites?sort=-confidence&cursor={cursor}").status_code == 422


def test_filters(service: Service) -> None:
    """A failure shows elites that nobody asked for."""

    def classes(query: str) -> list[int]:
        return [
            item["class"] for item in service.client.get(f"{service.path}/elites?{query}").json()["items"]
        ]

    assert classes("class=7&class=2&class=99") == [2, 7]
    assert classes("label=SCRIPT") == [0, 3]
    assert classes("label=7") == [7]
    confidences = [told["confidence"] for told in service.told["elites"]]
    limit = sorted(confidences)[5]
    assert classes(f"min_confidence={limit!r}") == [
        n for n, found in enumerate(confidences) if found >= limit
    ]


def test_the_png_holds_what_was_classified(service: Service) -> None:
    """A failure breaks the claim of the whole project: this image has this confidence."""
    run = open_run(service.root / "mine")
    for number in range(10):
        answer = service.client.get(f"{service.path}/elites/{number}.png")
        assert answer.headers["content-type"] == "image/png"
        assert answer.headers["cache-control"] == "private, max-age=31536000, immutable"
        pixels = np.asarray(Image.open(io.BytesIO(answer.content)))
        assert np.array_equal(pixels, run.images[number][:, :, 0])
        again = service.client.get(
            f"{service.path}/elites/{number}.png", headers={"if-none-match": f'"x", {answer.headers["etag"]}'}
        )
        assert (again.status_code, again.content) == (304, b"")


def test_a_cppn_is_drawn_anew_at_another_size(service: Service) -> None:
    """A failure shows squares where the genotype has curves, or leaves unsaid that this was never classified."""
    answer = service.client.get(f"{service.path}/elites/3.png?size=112")
    image = Image.open(io.BytesIO(answer.content))
    assert image.size == (112, 112)
    assert "the confidence is of the image at 28 x 28" in image.info["rendered"]
    native = np.asarray(Image.open(io.BytesIO(service.client.get(f"{service.path}/elites/3.png").content)))
    assert not np.array_equal(np.asarray(image), native.repeat(4, 0).repeat(4, 1))
    same = service.client.get(f"{service.path}/elites/3.png?size=28")
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(same.content))), native)


def test_too_many_images_at_once(hostile_folder: Path, small_run: Any) -> None:
    """A failure lets a page of thumbnails stop all other requests."""
    for service in served(hostile_folder, small_run[1], limits=Limits(drawing=1, waiting=0)):
        images = service.app.state.context.images
        assert images._places.acquire(blocking=False)
        answer = service.client.get(f"{service.path}/elites/3.png?size=99")
        assert answer.status_code == 503
        assert answer.headers["retry-after"]
        images._places.release()
        assert service.client.get(f"{service.path}/elites/3.png?size=99").status_code == 200


def test_too_many_streams(hostile_folder: Path, small_run: Any) -> None:
    """Six streams are all that a browser opens; a thousand are an attack. A failure lets them take all descriptors."""
    for service in served(hostile_folder, small_run[1], limits=Limits(streams=1)):
        with service.app.state.context.stream():
            for _ in range(1000):
                answer = service.client.get(f"{service.path}/events")
                assert answer.status_code == 503
        assert answer.headers["retry-after"]
        for _ in range(3):  # each gives its place back
            assert service.client.get(f"{service.path}/events").status_code == 200


def test_lineage(service: Service) -> None:
    """A failure shows a wrong ancestor, or none."""
    found = service.client.get(f"{service.path}/elites/3/lineage").json()
    assert found["class"] == 3
    ids = [ancestor["id"] for ancestor in found["ancestors"]]
    elite = service.client.get(f"{service.path}/elites?class=3").json()["items"][0]
    assert ids[-1] == elite["id"]
    assert found["ancestors"][0]["generation"] == 0
    assert all(set(ancestor["parents"]) <= set(ids) for ancestor in found["ancestors"])


def test_an_export_is_a_run_directory(service: Service, tmp_path: Path) -> None:
    """A failure gives away something that no command reads."""
    answer = service.client.get(f"{service.path}/export")
    assert answer.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert all(name.startswith(f"{service.run}/") for name in archive.namelist())
        archive.extractall(tmp_path)
    (folder,) = tmp_path.iterdir()
    found = summary(open_run(folder)).document()
    for key in ("archive_sha256", "lineage_sha256", "status"):
        assert found[key] == service.told[key]
    assert (folder / "elites" / "0003.png").is_file()


def events_of(text: str) -> list[dict[str, str]]:
    return [
        dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        for block in text.split("\n\n")
        if block.strip()
    ]


def test_the_stream_of_a_run_that_has_ended(service: Service) -> None:
    """A failure misses events, or keeps a browser asking for ever."""
    answer = service.client.get(f"{service.path}/events")
    assert answer.headers["content-type"].startswith("text/event-stream")
    found = events_of(answer.text)
    assert found[0]["event"] == "state"
    assert [EventId.parse(each["id"]).generation for each in found if each["event"] == "generation"] == list(
        range(13)
    )
    assert found[-1]["event"] == "completed"
    middle = found[6]["id"]
    rest = events_of(service.client.get(f"{service.path}/events", headers={"last-event-id": middle}).text)
    assert rest[1:] == found[7:]
    last = service.client.get(f"{service.path}/events", headers={"last-event-id": found[-1]["id"]})
    assert last.status_code == 204


def test_a_launch_is_kept_before_it_is_answered(own_service: Service) -> None:
    """A failure loses runs that a program was told are there. The same key is the same run, also twice at once."""
    client = own_service.client
    headers = {"idempotency-key": "mine"}
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: client.post("/api/v1/runs", json=TINY, headers=headers), range(16)))
    assert {answer.status_code for answer in answers} == {202}
    (id,) = {answer.json()["id"] for answer in answers}
    assert answers[0].headers["location"] == f"/api/v1/runs/{id}"
    assert answers[0].json()["state"] == "queued"
    assert (own_service.root / ".fooling" / "jobs" / id).is_dir()
    other = client.post("/api/v1/runs", json={"config": "mnist-direct"}, headers=headers)
    assert other.status_code == 409
    assert client.post("/api/v1/runs", json=TINY).json()["id"] != id
    assert client.get("/api/v1/runs").json()["total"] == 3
    assert client.get("/api/v1/runs?state=queued").json()["total"] == 2
    assert client.get(f"/api/v1/runs/{id}/elites").json() == {
        "items": [],
        "next": None,
        "total": 0,
        "generation": -1,
    }
    assert client.get(f"/api/v1/runs/{id}/elites/0.png").status_code == 404
    assert client.get(f"/api/v1/runs/{id}/export").status_code == 404


def test_states_over_http(own_service: Service) -> None:
    """A failure deletes what is still wanted, or cancels something else."""
    client = own_service.client
    id = client.post("/api/v1/runs", json=TINY).json()["id"]
    other = client.post("/api/v1/runs", json=TINY).json()["id"]
    path = f"/api/v1/runs/{id}"
    assert client.delete(path).status_code == 409
    for change, state in (("pause", "paused"), ("pause", "paused"), ("resume", "queued"), ("cancel", "cancelled"), ("cancel", "cancelled")):  # fmt: skip
        answer = client.post(f"{path}/{change}")
        assert (answer.status_code, answer.json()["state"]) == (202, state), answer.text
    assert client.get(f"/api/v1/runs/{other}").json()["state"] == "queued"
    assert client.delete(path).status_code == 204
    for method in ("GET", "DELETE"):
        assert client.request(method, path).status_code == 404
    assert client.post(f"{path}/cancel").status_code == 404


def test_a_run_of_the_command_line_is_deleted_with_its_directory(own_service: Service) -> None:
    """A failure leaves it, or deletes more."""
    assert own_service.client.delete(own_service.path).status_code == 204
    assert not (own_service.root / "mine").exists()
    assert own_service.client.get(own_service.path).status_code == 404
    assert own_service.client.get(f"{own_service.path}/events").status_code == 404


def test_a_damaged_run_is_told(own_service: Service) -> None:
    """A failure is a defect in the log, and a page that says nothing."""
    for checkpoint in (own_service.root / "mine" / "checkpoints").iterdir():
        checkpoint.write_bytes(b"x" * 100)
    for path in ("", "/elites", "/elites/3.png", "/elites/3/lineage", "/export"):
        answer = own_service.client.get(f"{own_service.path}{path}")
        assert answer.status_code == 409, path
        assert str(own_service.root) not in answer.text
    assert own_service.client.get("/api/v1/runs").status_code == 200


def test_links_in_a_run_are_not_followed(own_service: Service, tmp_path: Path) -> None:
    """An imported run may hold links. A failure shows files of this machine."""
    (tmp_path / "secret.json").write_text((own_service.root / "mine" / "manifest.json").read_text())
    manifest = own_service.root / "mine" / "manifest.json"
    manifest.unlink()
    manifest.symlink_to(tmp_path / "secret.json")
    for path in ("", "/elites", "/export"):
        assert own_service.client.get(f"{own_service.path}{path}").status_code in (404, 409)


def test_a_server_that_only_shows(hostile_folder: Path, small_run: Any) -> None:
    """A failure lets the world launch runs, or hides the gallery from it."""
    for service in served(hostile_folder, small_run[1], read_only=True):
        assert service.stranger.get(f"{service.path}/elites").status_code == 200
        assert service.stranger.get(f"{service.path}/elites/3.png").status_code == 200
        for closed in ("/metrics", "/api/v1/metrics", f"{service.path}/export"):
            assert service.stranger.get(closed).status_code == 401
            assert service.client.get(closed).status_code == 200
        for client in (service.stranger, service.client):
            assert client.post("/api/v1/runs", json=TINY).status_code in (401, 403)
            assert client.delete(service.path).status_code in (401, 403)
        assert service.client.post("/api/v1/runs", json=TINY).status_code == 403


def test_studies_are_asked_for(own_service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """A failure asks the jobs for something else than the request says."""
    asked: list[Any] = []
    some: Job = own_service.jobs.get(own_service.run)

    def submit(kind: str, request: Any, *, label: str = "", idempotency_key: str | None = None) -> Job:
        asked.append((kind, request, label, idempotency_key))
        return some.model_copy(update={"kind": kind})

    monkeypatch.setattr(own_service.jobs, "submit", submit)
    body = {
        "kind": "transfer",
        "runs": [own_service.run],
        "to": ["builtin:mlp"],
        "label": "words",
        "min_confidence": 0.5,
    }
    answer = own_service.client.post("/api/v1/studies", json=body, headers={"idempotency-key": "k"})
    assert answer.status_code == 202, answer.text
    expected = {"runs": [own_service.run], "to": ["builtin:mlp"], "min_confidence": 0.5, "rerender": False}
    assert asked == [("transfer", expected, "words", "k")]
    own_service.client.post("/api/v1/studies", json={"kind": "lineage", "run": own_service.run, "class": 3})
    assert asked[1] == ("lineage", {"run": own_service.run, "class": 3}, "", None)
    assert own_service.client.get("/api/v1/studies").json()["items"] == []
    assert own_service.client.get(f"/api/v1/studies/{own_service.run}").status_code == 404


def test_a_defect_says_nothing_of_this_machine(own_service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """A failure sends a traceback with paths to whoever finds a defect."""

    def broken(id: str) -> Job:
        raise RuntimeError(f"somewhere in {own_service.root}")

    monkeypatch.setattr(own_service.jobs, "get", broken)
    answer = own_service.client.get(own_service.path)
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert str(own_service.root) not in answer.text
    assert "frame-ancestors" in answer.headers["content-security-policy"]

    def unknown(id: str) -> Job:
        raise NotFoundError(f"no job in {own_service.root}/mine")

    monkeypatch.setattr(own_service.jobs, "get", unknown)
    assert own_service.client.get(own_service.path).json()["detail"] == "no job in mine"


def test_configs_and_models(service: Service) -> None:
    """A failure offers what can't be launched."""
    configs = {item["name"]: item for item in service.client.get("/api/v1/configs").json()["items"]}
    assert configs["mnist-cppn"]["launchable"]
    assert not configs["http-example"]["launchable"]
    assert "builtin:lenet" in [item["spec"] for item in service.client.get("/api/v1/models").json()["items"]]


def test_metrics(service: Service) -> None:
    """A failure blinds whoever watches the server, or lets a client make up series until memory is gone."""
    service.client.get("/api/v1/nothing/at/all")
    for path in ("/metrics", "/api/v1/metrics"):
        text = service.client.get(path).text
        assert 'fooling_jobs{state="completed"}' in text
        assert "fooling_http_requests_total" in text
        assert "at/all" not in text
        assert service.run not in text


def test_a_run_that_is_deleted_while_it_is_read_is_not_called_damaged(
    own_service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A failure frightens whoever looks at a run when somebody else deletes it."""
    from fooling.errors import InvalidError
    from fooling.service import reading

    def moved_away(directory: Path, *rest: Any) -> Any:
        (own_service.root / "mine").rename(own_service.root.parent / "trash")
        raise InvalidError("half of it is gone")

    monkeypatch.setattr(reading, "_read", moved_away)
    answer = own_service.client.get(f"{own_service.path}/elites/3.png")
    assert answer.status_code == 404
