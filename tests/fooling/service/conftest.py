"""A folder with a run in it, whose labels are those of an enemy, and the service beside it, without a socket."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from fooling.service.app import create_app
from fooling.service.jobs import Jobs
from fooling.service.settings import ServiceSettings

TOKEN = "t" * 43
BEARER = {"authorization": f"Bearer {TOKEN}"}
HOST = "http://127.0.0.1:8000"
UNKNOWN = "0" * 20
HOSTILE = ("<script>alert(1)</script>", "\u202egnp.exe", "\x1b[31mred", "</script>&amp;\"'", "e\u0301 \u00e9")


@dataclass(frozen=True)
class Service:
    """The service of a folder.

    Attributes:
        client: knows the token.
        stranger: knows nothing.
        run: the id of the run that is there.
        told: what `--json` printed of that run.
    """

    client: TestClient
    stranger: TestClient
    app: FastAPI
    jobs: Jobs
    root: Path
    run: str
    told: dict[str, Any]

    @property
    def path(self) -> str:
        return f"/api/v1/runs/{self.run}"


def served(root: Path, told: dict[str, Any], **settings: Any) -> Iterator[Service]:
    """A service that starts no job."""
    jobs = Jobs(root, 0)
    app = create_app(jobs, ServiceSettings(root=root, token=TOKEN, **settings))
    with (
        TestClient(app, base_url=HOST, headers=BEARER) as client,
        TestClient(app, base_url=HOST) as stranger,
    ):
        run = client.get("/api/v1/runs?q=mine").json()["items"][0]["id"]
        yield Service(client, stranger, app, jobs, root, run, told)
    jobs.close()


@pytest.fixture(scope="session")
def hostile_folder(tmp_path_factory: pytest.TempPathFactory, small_run: tuple[Path, dict[str, Any]]) -> Path:
    """A folder with a copy of the small run, named `mine`, whose first labels are `HOSTILE`."""
    root = tmp_path_factory.mktemp("service") / "runs"
    shutil.copytree(small_run[0], root / "mine")
    manifest = root / "mine" / "manifest.json"
    content = json.loads(manifest.read_text())
    labels = content["classifier"]["spec"]["labels"]
    labels[: len(HOSTILE)] = HOSTILE
    manifest.write_text(json.dumps(content))
    return root


@pytest.fixture(scope="session")
def service(hostile_folder: Path, small_run: tuple[Path, dict[str, Any]]) -> Iterator[Service]:
    """The service of that folder; tests change nothing that others look at."""
    yield from served(hostile_folder, small_run[1])


@pytest.fixture
def own_service(tmp_path: Path, small_run: tuple[Path, dict[str, Any]]) -> Iterator[Service]:
    """A service of one's own."""
    root = tmp_path / "runs"
    shutil.copytree(small_run[0], root / "mine")
    yield from served(root, small_run[1])
