"""docs/service.md: what it says to type works."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from fooling.cli.serve import serve
from tests.conftest import ROOT
from tests.fooling.service.jobs.tiny_jobs import kill_all

PAGE = (ROOT / "docs" / "service.md").read_text()


def blocks(language: str) -> str:
    return "\n".join(re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL))


def test_every_route_is_described() -> None:
    """A failure hides a route from whoever reads the page."""
    paths = json.loads((ROOT / "docs" / "openapi.json").read_text())["paths"]
    for path in paths:
        short = path.removeprefix("/api/v1")
        last = "/" + short.rsplit("/", 1)[1]
        assert short in PAGE or last in PAGE, path


def test_the_unit_and_the_container_call_what_there_is() -> None:
    """A failure is an option that was renamed: the server does not start, on a machine where nobody looks."""
    deploy = ROOT / "docs" / "deploy"
    container = (deploy / "Containerfile").read_text()
    (given,) = re.findall(r"^CMD (.*)$", container, re.MULTILINE)
    (started,) = re.findall(r"^ExecStart=(.*)$", (deploy / "fooling.service").read_text(), re.MULTILINE)
    for program, command, *options in (json.loads(given), started.split()):
        assert (Path(program).name, command) == ("fooling", "serve")
        serve.make_context("serve", options)
    for line in re.findall(r"^COPY (.*)$", container, re.MULTILINE):
        for source in line.split()[:-1]:
            assert (ROOT / source).exists(), source


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
def test_the_examples_work(tmp_path: Path, environment: dict[str, str]) -> None:
    """A failure costs a newcomer their first hour with the API."""
    root = tmp_path / "runs"
    command = [
        sys.executable,
        "-m",
        "fooling",
        "serve",
        "--root",
        str(root),
        "--port",
        "0",
        "--json",
        "--quiet",
    ]
    server = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True, cwd=tmp_path)
    try:
        assert server.stdout is not None
        url = json.loads(server.stdout.readline())["url"]
        path = os.pathsep.join([str(Path(sys.executable).parent), environment["PATH"]])
        for command in (
            ["bash", "-euo", "pipefail", "-c", blocks("sh")],
            [sys.executable, "-c", blocks("python")],
        ):
            command[-1] = command[-1].replace("http://127.0.0.1:8000", url)
            result = subprocess.run(
                command,
                cwd=tmp_path,
                env={**environment, "PATH": path},
                capture_output=True,
                text=True,
                check=False,
            )
            assert result.returncode == 0, result.stdout + result.stderr
        for image in ("three.png", "large.png", "surest.png"):
            assert (tmp_path / image).read_bytes().startswith(b"\x89PNG")
        assert "id: 0-5\n" in (tmp_path / "events.txt").read_text()
        rest = (tmp_path / "rest.txt").read_text()
        assert "id: 0-4\n" in rest
        assert "id: 0-3\n" not in rest
    finally:
        server.terminate()
        server.wait(30)
        kill_all(root)
