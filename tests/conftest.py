"""What all tests share: the command line as a user calls it, small runs, the optional assets."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import settings

from tests import warm

ROOT = Path(__file__).resolve().parent.parent
# Examples are drawn from a fixed seed, so that a green test stays green until the code changes.
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.load_profile("repeatable")
# Several processes run tests at once, and classifiers compute in one thread anyway: more would wait for each other.
torch.set_num_threads(1)
# Tests that run in the background of a shell inherit an ignored Ctrl-C, and so would all commands that they start.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def _same_weights() -> None:
    """A network that a test makes without saying from which seed is the same each time."""
    torch.manual_seed(0)


@pytest.fixture(scope="session")
def assets() -> Path:
    """The folder of real data and networks; tests that need it skip where it is absent."""
    folder = Path(os.environ.get("FOOLING_ASSETS", ROOT.parent / "shared" / "assets"))
    if not folder.is_dir():
        pytest.skip(f"no assets at {folder}; set FOOLING_ASSETS")
    return folder


@pytest.fixture(scope="session")
def chromium() -> str:
    """The browser that tests drive; `make browser` installs it."""
    for name in ("chromium", "chromium-browser", "google-chrome", "chrome"):
        if path := shutil.which(name):
            return path
    pytest.skip("no Chromium on the path; `make browser` installs it where apt can")


@pytest.fixture(scope="session")
def environment() -> dict[str, str]:
    """The environment of commands: no settings of the person who runs the tests, one thread each."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FOOLING__")}
    return {**kept, "OMP_NUM_THREADS": "1", "COLUMNS": "80"}


Command = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session")
def fooling(environment: dict[str, str]) -> Command:
    """`fooling(*arguments, cwd=..., env=...)`: the command line in a process of its own."""

    def call(
        *arguments: Any, cwd: Path | None = None, env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        with warm.start(arguments, {**environment, **(env or {})}, cwd) as process:
            try:
                out, said = process.communicate(timeout=500)
            finally:
                process.kill()
        return subprocess.CompletedProcess(process.args, process.wait(), out, said)

    return call


SMALL = ("--set", "search.generations=12", "--set", "search.population=60", "--set", "run.chunk=25")


@pytest.fixture(scope="session")
def small_run(tmp_path_factory: pytest.TempPathFactory, fooling: Command) -> tuple[Path, dict[str, Any]]:
    """A completed small CPPN run and what `--json` printed. Tests only read it, or copy it."""
    out = tmp_path_factory.mktemp("small") / "run"
    result = fooling("run", "--out", out, "--json", "--quiet", *SMALL)
    assert result.returncode == 0, result.stderr
    return out, json.loads(result.stdout)
