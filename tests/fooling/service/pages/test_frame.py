"""What all pages share: the frame, assets, refusals, `.json` twins."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from fooling.present import web
from tests.fooling.service.conftest import UNKNOWN, Service

BROWSER = {"accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
# A page of each kind, and its twin; whoever adds a page adds it here. `{run}` is the id of a run.
PAGES = (
    ("/new?from={run}", "/new.json?from={run}"),
    ("/", "/runs.json"),
    ("/blind/{run}", "/blind/{run}.json"),
    ("/breed?seed=3&model=builtin:lenet&colour=grey", "/breed.json?seed=3&model=builtin:lenet&colour=grey"),
    ("/compare", "/compare.json"),
    ("/runs/{run}/elites/3", "/runs/{run}/elites/3.json"),
    ("/studies", "/studies.json"),
)


def data_of(page: str) -> object:
    """What a page hands to its scripts."""
    (found,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    return json.loads(found)


@pytest.mark.parametrize(("path", "twin"), PAGES)
def test_a_page_and_its_twin_are_of_one_model(service: Service, path: str, twin: str) -> None:
    """A failure shows people something else than programs get, or breaks the page of a run with hostile labels."""
    path, twin = path.format(run=service.run), twin.format(run=service.run)
    page = service.client.get(path, headers=BROWSER)
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    model = service.client.get(twin).json()
    assert isinstance(model, dict)
    shown = data_of(page.text)
    assert isinstance(shown, dict)
    assert shown.keys() == model.keys()
    assert "<script>alert" not in page.text
    assert not re.search(
        r"<script(?![^>]* src=)(?! type=\"application/json\")", page.text
    )  # the policy refuses them
    assert not re.search(r"\s(style|on\w+)=", page.text)  # and these
    for address in re.findall(r'(?:src|href)="(/assets/[^"]+)"', page.text):
        assert service.client.get(address).status_code == 200, address


def test_assets_are_listed_and_kept_for_ever(service: Service) -> None:
    """A failure is a script that no browser gets, or an old one that it keeps after an update."""
    files = {path.name for path in web.HERE.iterdir() if path.suffix in web.MEDIA_TYPES}
    assert files == set(web.ASSETS)
    assert list(web.ASSETS) == sorted(web.ASSETS)
    for name in web.ASSETS:
        answer = service.stranger.get(web.address(name))
        assert answer.content == (web.HERE / name).read_bytes()
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert answer.headers["content-type"] == web.MEDIA_TYPES[Path(name).suffix]
    assert service.client.get("/assets/000000000000/base.css").status_code == 404
    assert service.client.get(f"/assets/{web.digest()}/__init__.py").status_code == 404


def test_a_browser_is_told_what_to_do(service: Service) -> None:
    """A failure shows a newcomer a line of JSON, or asks them to log in who is."""
    stranger = service.stranger.get("/", headers=BROWSER)
    assert stranger.status_code == 401
    assert stranger.headers["content-type"] == "text/html; charset=utf-8"
    assert "login link" in stranger.text
    missing = service.client.get(f"/nothing/{UNKNOWN}", headers=BROWSER)
    assert (missing.status_code, missing.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert "login" not in missing.text
    program = service.client.get(f"/nothing/{UNKNOWN}")
    assert program.headers["content-type"] == "application/problem+json"
    api = service.client.get(f"/api/v1/runs/{UNKNOWN}", headers=BROWSER)
    assert api.headers["content-type"] == "application/problem+json"


def test_a_program_that_asks_for_the_root_is_told_where_to_go_on(service: Service) -> None:
    """A failure breaks clients that begin there."""
    assert service.client.get("/").json()["api"] == "/api/v1"
