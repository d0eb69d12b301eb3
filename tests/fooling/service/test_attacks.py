"""Attacks on every route of the application, taken from the application itself: a route that somebody adds tomorrow is
attacked too. Each was a hole in a comparable program (docs/service.md names them)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from fastapi.routing import APIRoute

from fooling.present import web
from tests.fooling.service.conftest import BEARER, HOST, TOKEN, UNKNOWN, Service

ASSET = "/assets/{digest}/{name}"
OPEN = {"/healthz", "/readyz", "/api/v1/healthz", "/api/v1/readyz", "/login", ASSET}
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
TRAVERSALS = (
    "%2e%2e", "%2e", "..%2f..%2fetc%2fpasswd", "..%5c..%5c", "%2e%2e%2f", "%2fetc%2fpasswd", "//etc/passwd", "a%00b", "a%0ab",
    "%23", "%3f", "a b", "mine", ".fooling", "%c0%ae%c0%ae", "a" * 5000, "-1", "0x10", "\u0663", "1e3",
)  # fmt: skip


def routes(app: Any) -> Iterator[tuple[str, str]]:
    """Method and path of every route, also of routers within routers."""
    schema = app.openapi()["paths"]
    found = {(method.upper(), path) for path, methods in schema.items() for method in methods}
    yield from sorted(found | set(nested(app.routes)))


def nested(routes: Any, prefix: str = "") -> Iterator[tuple[str, str]]:
    for route in routes:
        if isinstance(route, APIRoute):
            yield from ((method, prefix + route.path) for method in route.methods)
        elif (router := getattr(route, "original_router", None)) is not None:
            yield from nested(router.routes, prefix + route.include_context.prefix)
        elif (path := getattr(route, "path", None)) and getattr(route, "methods", None):
            yield "GET", path


def filled(path: str, service: Service) -> str:
    """The path of something that is there."""
    if path == "/api/v1/events":  # it never ends by itself
        path += "?seconds=0"
    path = path.replace("{digest}", web.digest()).replace("{name}", "base.css")
    return path.replace("{id}", service.run).replace("{class}", "3")


def everything(service: Service) -> list[tuple[str, str]]:
    return list(routes(service.app))


def state_of(root: Path) -> dict[str, tuple[int, int]]:
    """All files, but for what a look may write: the index and locks."""
    return {
        str(path.relative_to(root)): (path.stat().st_size, path.stat().st_mtime_ns)
        for path in root.rglob("*")
        if path.is_file() and "index.sqlite" not in path.name and path.name not in ("mutex", "lock")
    }


def check_problem(response: Any, root: Path) -> None:
    """A refusal is a problem that tells nothing of the machine, with all headers."""
    assert response.headers["content-type"] == "application/problem+json"
    assert set(response.json()) == {"type", "title", "status", "detail"}
    for secret in (str(root), "Traceback", ".py", TOKEN):
        assert secret not in response.text
    check_headers(response)


def check_headers(response: Any) -> None:
    policy = response.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["referrer-policy"] == "no-referrer"
    assert "access-control-allow-origin" not in response.headers
    assert "server" not in response.headers


def test_the_walk_knows_the_routes(service: Service) -> None:
    """A failure means that the tests of this file walk past something."""
    paths = {path for _, path in everything(service)}
    assert {
        "/",
        "/login",
        "/runs.json",
        ASSET,
        "/metrics",
        "/api/v1/runs/{id}/events",
        "/api/v1/studies",
        "/api/v1/openapi.json",
    } <= paths
    assert len(paths) >= 20


def test_nobody_gets_in_without_the_token(service: Service) -> None:
    """InvokeAI forgot one route, which listed directories. A failure opens one to everybody on the machine."""
    for method, path in everything(service):
        for headers in ({}, {"authorization": "Bearer wrong"}, {"authorization": f"Basic {TOKEN}"}, {"cookie": "fooling_8000=1"}):  # fmt: skip
            response = service.stranger.request(method, filled(path, service), headers=headers)
            if path in OPEN:
                assert service.run not in response.text
            else:
                assert response.status_code == 401, (method, path)
                check_problem(response, service.root)


def test_nobody_sees_a_page_without_a_login(service: Service) -> None:
    """A browser is answered with a page, which goes another way than a problem. A failure shows the runs in it, or what
    the server is made of."""
    for method, path in everything(service):
        if method != "GET" or path in OPEN:
            continue
        response = service.stranger.get(filled(path, service), headers={"accept": BROWSER})
        assert response.status_code == 401, path
        check_headers(response)
        for secret in (service.run, str(service.root), "Traceback", ".py", TOKEN):
            assert secret not in response.text


@pytest.mark.parametrize(
    "host",
    ["10.evil.test", "127.0.0.1.evil.test", "localhost.evil.test", "evil.test:8000", "0.0.0.0:8000", "127.0.0.1:8001",
     "127.0.0.1", "localhost:8000.", "[::]:8000", "2130706433:8000", "127.1:8000", "localhost:8000,evil.test"],
)  # fmt: skip
def test_a_foreign_host_gets_nothing(service: Service, host: str) -> None:
    """DNS rebinding: a name of another site that points here. A failure gives each web page the run of the service."""
    for method, path in everything(service):
        response = service.client.request(method, filled(path, service), headers={"host": host})
        assert response.status_code == 421, (method, path)
        check_problem(response, service.root)


@pytest.mark.parametrize(
    "headers",
    [{"origin": "null"}, {"origin": "https://evil.test"}, {"origin": "http://127.0.0.1:9000"}, {"origin": HOST + "/"},
     {"origin": HOST + ".evil.test"}, {"origin": "https://127.0.0.1:8000"}, {"origin": ""},
     {"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "same-site"},
     {"sec-fetch-site": "cross-site", "origin": HOST}],
)  # fmt: skip
def test_other_sites_change_nothing(service: Service, headers: dict[str, str]) -> None:
    """ComfyUI let `null` through, MLflow each port of localhost. A failure lets a web page launch and delete runs."""
    before = state_of(service.root)
    for method, path in everything(service):
        if method != "GET":
            response = service.client.request(method, filled(path, service), headers=headers, json={})
            assert response.status_code == 403, (method, path)
            check_problem(response, service.root)
    assert state_of(service.root) == before


def test_other_sites_load_no_parts(service: Service) -> None:
    """A page on another port of localhost may send the cookie. A failure lets it embed and measure what is here."""
    for _, path in (route for route in everything(service) if route[0] == "GET"):
        for site in ("cross-site", "same-site"):
            headers = {"sec-fetch-site": site, "sec-fetch-mode": "no-cors"}
            assert service.client.get(filled(path, service), headers=headers).status_code == 403, path


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/json; charset=utf-16", "application/xml", ""],
)  # fmt: skip
def test_only_json_is_taken(service: Service, kind: str) -> None:
    """Forms and text cross sites without a question. A failure lets a form of a web page launch runs."""
    before = state_of(service.root)
    for method, path in everything(service):
        if method != "GET":
            response = service.client.request(
                method,
                filled(path, service),
                content=b'{"config": "mnist-cppn"}',
                headers={"content-type": kind},
            )
            assert response.status_code == 415, (method, path)
    assert state_of(service.root) == before


def test_looking_changes_nothing(service: Service) -> None:
    """ComfyUI-Manager installed by GET. A failure lets an image tag on a web page change the folder."""
    before = state_of(service.root)
    for path in {path for _, path in everything(service)}:
        for method in ("GET", "HEAD", "OPTIONS", "TRACE", "PROPFIND"):
            response = service.client.request(method, filled(path, service))
            assert response.status_code in (200, 204, 401, 404, 405, 422), (method, path)
            check_headers(response)
    assert state_of(service.root) == before


def test_ids_never_become_paths(service: Service) -> None:
    """MLflow, Gradio, InvokeAI and exo each read or deleted outside of their folder. A failure does so here. Whatever is no
    id is not found, without a difference to an id that nobody has."""
    before = state_of(service.root.parent)
    for method, path in everything(service):
        for name in re.findall(r"{(\w+)}", path):
            unknown = service.client.request(method, filled(path.replace("{id}", UNKNOWN), service))
            for value in TRAVERSALS:
                if name == "class" and value in ("-1", "\u0663"):
                    continue
                url = filled(path.replace(f"{{{name}}}", value), service)
                response = service.client.request(method, url)
                assert response.status_code in (404, 405), (method, url, response.text)
                if response.status_code == 404 and unknown.status_code == 404 and name == "id":
                    check_problem(response, service.root)
    assert state_of(service.root.parent) == before


@pytest.mark.parametrize("number", ["-1", "10", "9999999", "99999999", "3.5", "\u0663", "003x"])
def test_classes_that_there_are_not(service: Service, number: str) -> None:
    """A failure shows the last class for -1, or ends in a defect."""
    for tail in (".png", "/lineage"):
        response = service.client.get(f"{service.path}/elites/{number}{tail}")
        assert response.status_code == 404
        check_problem(response, service.root)


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("size=100000", 422),
        ("size=0", 422),
        ("size=-1", 422),
        ("size=1e3", 422),
        ("size=2049", 422),
        ("size=64", 200),
    ],
)
def test_images_of_any_size(service: Service, query: str, status: int) -> None:
    """An image of 100,000 pixels a side takes 30 GB. A failure lets one request end the server."""
    assert service.client.get(f"{service.path}/elites/3.png?{query}").status_code == status


@pytest.mark.parametrize(
    "cursor",
    ["x", "!", "%00", "W10", "WyJhIiwxXQ", "A" * 900, "A" * 1001, "..%2f", "bnVsbA", "WzEsMiwzXQ==", "e30"],
)
def test_cursors_that_were_made_up(service: Service, cursor: str) -> None:
    """A failure is a defect in the log for each, or a page of somebody else's list."""
    for path in ("/api/v1/runs", "/api/v1/studies", f"{service.path}/elites"):
        response = service.client.get(f"{path}?cursor={cursor}")
        assert response.status_code == 422, (path, response.text)
        check_problem(response, service.root)


@pytest.mark.parametrize(
    "last", ["x", "1", "0-", "-1-2", "0-0.0.0", "9" * 50 + "-0", "0-1;DROP", "0-1.2-", "\u0663-1", "12345"]
)
def test_event_ids_that_were_made_up(service: Service, last: str) -> None:
    """A byte offset, or an id of another program. A failure jumps into the middle of a line."""
    headers = {b"last-event-id": last.encode()}
    response = service.client.get(f"{service.path}/events", headers=headers)
    assert response.status_code == 422
    check_problem(response, service.root)


@pytest.mark.parametrize(
    ("query", "status"),
    [("limit=1000000000", 200), ("limit=0", 422), ("limit=x", 422), ("min_confidence=nan", 422), ("min_confidence=2", 422),
     ("sort=id", 422), ("label=" + "(a%2b)%2b$" * 10, 200), ("label=" + "x" * 201, 422), ("group=x", 422),
     ("class=99999999999999999999", 200), ("class=-1", 200), ("&".join(["class=1"] * 1001), 422)],
)  # fmt: skip
def test_lists_that_ask_for_too_much(service: Service, query: str, status: int) -> None:
    """A pattern that takes for ever, or a page of everything. A failure lets one request stop all others."""
    response = service.client.get(f"{service.path}/elites?{query}")
    assert response.status_code == status, response.text


@pytest.mark.parametrize(
    ("content", "status"),
    [(b"x" * 70000, 413), (b"[" * 60000, 400), (b"{", 400), (b"\xff", 400), (b'{"seed": 1e999}', 400),
     (b'{"seed": NaN}', 400), (b'{"seed": ' + b"9" * 5000 + b"}", 400), (b'{"label": "\\ud800"}', 400), (b"null", 422), (b"[]", 422),
     (b'{"config": 3}', 422), (b'{"unknown": 1}', 422), (b'{"set": {"search.generations": {}}}', 422),
     (b'{"seed": -1}', 422), (b'{"seed": 1.5}', 422), (b'{"label": "' + b"x" * 300 + b'"}', 422)],
)  # fmt: skip
def test_bodies_that_are_none(service: Service, content: bytes, status: int) -> None:
    """Too large, too deep, not JSON, not the right JSON. A failure is a defect, or memory that is gone."""
    for path in ("/api/v1/runs", "/api/v1/studies"):
        headers = {"content-type": "application/json"}
        response = service.client.post(path, content=content, headers=headers)
        assert response.status_code in (status, 422 if status == 400 and b"seed" in content else status), (
            response.text
        )
        check_problem(response, service.root)


def test_a_body_without_a_length_is_measured(service: Service) -> None:
    """A failure lets a chunked body fill the memory."""
    blocks = (b" " * 1000 for _ in range(100))
    response = service.client.post(
        "/api/v1/runs", content=blocks, headers={"content-type": "application/json"}
    )
    assert response.status_code == 413


def test_every_answer_has_the_headers(service: Service) -> None:
    """A failure lets a page of another site show this one in a frame, or guess at the kind of what is sent."""
    for method, path in everything(service):
        if method == "GET":
            check_headers(service.client.get(filled(path, service)))
            check_headers(service.client.get(filled(path, service), headers={"accept": BROWSER}))


def test_labels_are_sent_as_text_alone(service: Service) -> None:
    """label-studio and aim ran what stood in a name. Here it is JSON, of no kind that a browser draws. A failure makes a
    classifier's label a program in the user's page."""
    response = service.client.get(f"{service.path}/elites")
    assert response.headers["content-type"] == "application/json"
    assert [item["label"] for item in response.json()["items"]][:3] == [
        "<script>alert(1)</script>",
        "\u202egnp.exe",
        "\x1b[31mred",
    ]
    assert "\x1b" not in response.text
    events = service.client.get(f"{service.path}/events").text
    assert "\x1b" not in events
    assert "<script>" not in events


def test_models_and_settings_of_a_request(service: Service) -> None:
    """InvokeAI loaded a URL with torch.load, TensorBoard forgot one path in five. A failure runs a stranger's code, or
    reads a file for them."""
    models = (
        "python:os:system", "file:/etc/passwd", "file:x.toml", "onnx:x.onnx", "clip:x.toml", "http:x.toml", "hf:a/b",
        "timm:hf-hub:a/b", "torchvision:resnet18?weights=/etc/passwd", "builtin:lenet&labels=/etc/passwd", "BUILTIN:lenet",
    )  # fmt: skip
    bodies: list[dict[str, Any]] = [{"model": model} for model in models]
    bodies += [{"set": {key: value}} for key, value in (
        ("search.images", "/etc"), ("run.address", "ray://evil.test"), ("model", "python:a:b"), ("run.workers", 4000),
        ("run.device", "cuda"), ("run.patience", 1), ("run.spread", True), ("run.gpus", 1),
    )]  # fmt: skip
    bodies += [{"config": "http-example"}]
    for body, key in product(bodies, ("runs", "estimates")):
        response = service.client.post(f"/api/v1/{key}", json=body)
        assert response.status_code == 403, body
        check_problem(response, service.root)
    for unknown in (
        "search.nothing",
        "trust",
        "out",
        "run.trust",
        "mean_image",
        "network.weights",
        "answers",
        "__class__",
    ):
        assert service.client.post("/api/v1/runs", json={"set": {unknown: "x"}}).status_code == 422
    for config in ("../configs/mnist-cppn", "/etc/passwd", "mnist-cppn.toml", "", "mnist-cppn\x00"):
        assert service.client.post("/api/v1/runs", json={"config": config}).status_code in (400, 422)
    audit = {"kind": "audit", "model": "builtin:lenet"}
    for study in (
        {"kind": "transfer", "runs": [service.run], "to": ["file:/etc/passwd"]},
        {"kind": "audit", "model": "python:a:b"},
        {**audit, "others": ["file:/etc/passwd"]},
        {**audit, "samples": "/etc"},
        {**audit, "samples": "../.."},
    ):
        assert service.client.post("/api/v1/studies", json=study).status_code == 403
    for study in (
        {"kind": "transfer", "runs": ["../x"], "to": ["builtin:mlp"]},
        {"kind": "transfer", "runs": [UNKNOWN], "to": ["builtin:mlp"]},
        {"kind": "nothing"},
        {"kind": "run"},
        {**audit, "out": "/tmp/x"},
        {**audit, "baseline": "/etc/passwd"},
        {**audit, "runs": [UNKNOWN]},
    ):
        assert service.client.post("/api/v1/studies", json=study).status_code in (404, 422)


def test_the_token_is_in_no_log(service: Service, caplog: pytest.LogCaptureFixture) -> None:
    """TensorBoard and Jupyter had it in links and logs. A failure gives it to whoever reads those."""
    with caplog.at_level("INFO", logger="fooling.service"):
        code = service.app.state.context.access.new_login()
        service.stranger.get(f"/login?code={code}", follow_redirects=False)
        service.client.get("/api/v1/runs?q=secret")
        service.client.get("/api/v1/%1b%5b31m", headers=BEARER)
        service.stranger.cookies.clear()
    assert "/login" in caplog.text
    for secret in (TOKEN, code, "secret", "\x1b"):
        assert secret not in caplog.text
