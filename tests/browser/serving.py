"""A real server, real runs beside it and runs that are hard to show: for tests in a browser, and for screenshots."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Mapping
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.made_up import make_run

ROOT = Path(__file__).resolve().parents[2]
WITHIN = 180.0  # seconds that anything may take on a machine that has much to do
# A run that is there in a blink, and one that goes on until it is cancelled.
QUICK = {"search.generations": 6, "search.population": 40, "run.threads": 1, "run.evaluators": 1}
ENDLESS = {**QUICK, "search.generations": 1_000_000, "run.checkpoint_seconds": 0.3}
HARD_LABELS = (
    "<script>document.title = 'hacked'</script>",
    ("a label of two hundred characters " * 6)[:200],
    "قطة منزلية",
    "日本語の看板",
    "<img src=x onerror=alert(1)>",
    "plain",
)
FAILURE = (
    "the classifier put out NaN for every image of generation 7: expected finite numbers; check its weights"
)


class Site:
    """`fooling serve` in a process of its own, on a port that stays the same when it is started anew.

    Attributes:
        url: where it answers.
        root: its folder of runs.
    """

    def __init__(self, root: Path, *options: str) -> None:
        self.root, self.url = root, ""
        self._options = options
        self._process: subprocess.Popen[str] | None = None
        self._token = ""
        self.start()

    def start(self) -> None:
        """Serve, and wait until requests are answered."""
        port = self.url.rpartition(":")[2] or "0"
        command = [sys.executable, "-m", "fooling", "serve", "--root", str(self.root), "--port", port]
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
        self._process = subprocess.Popen(
            [*command, "--json", "--quiet", *self._options],
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
        assert self._process.stdout is not None
        told = json.loads(self._process.stdout.readline())
        self.url, self._token = told["url"], Path(told["token_file"]).read_text().strip()

    def stop(self) -> None:
        """End the server; jobs go on."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(WITHIN)
            self._process = None

    def close(self) -> None:
        """End the server, and all that it started."""
        for job in self.api("/api/v1/runs?limit=1000")["items"]:
            if job["ours"] and job["state"] not in ("completed", "cancelled", "failed"):
                self.api(f"/api/v1/runs/{job['id']}/cancel", {})
        self.wait(
            lambda: all(job["state"] not in ("running", "cancelling", "starting") for job in self.jobs())
        )
        self.stop()

    def api(self, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """What the API answers; with a body it is a POST."""
        headers = {"authorization": f"Bearer {self._token}", "content-type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(
            urllib.request.Request(self.url + path, data, headers), timeout=WITHIN
        ) as answer:
            return json.load(answer)

    def jobs(self) -> list[dict[str, Any]]:
        """All runs."""
        found: list[dict[str, Any]] = self.api("/api/v1/runs?limit=1000")["items"]
        return found

    def id(self, name: str) -> str:
        """The id of the run of that name or label."""
        return next(str(job["id"]) for job in self.jobs() if name in (job["name"], job["label"]))

    def launch(self, config: str = "mnist-direct", label: str = "", **settings: Any) -> str:
        """Launch a run; gives its id."""
        given = {**QUICK, **settings.pop("set", {})}
        return str(
            self.api("/api/v1/runs", {"config": config, "set": given, "label": label, **settings})["id"]
        )

    def wait_for(self, id: str, *states: str, kind: str = "runs") -> dict[str, Any]:
        """Wait until a job is in one of these states."""
        found: dict[str, Any] = self.wait(
            lambda: (job := self.api(f"/api/v1/{kind}/{id}"))["state"] in states and job
        )
        return found

    def wait(self, holds: Callable[[], Any]) -> Any:
        """Wait until something holds, and give it."""
        end = time.monotonic() + WITHIN
        while not (found := holds()):
            assert time.monotonic() < end, "waited in vain"
            time.sleep(0.1)
        return found

    def cookies(self) -> list[dict[str, Any]]:
        """The cookies of a browser that is logged in, as Playwright takes them."""
        jar = CookieJar()
        link = self.api("/api/v1/logins", {})["login"]
        urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar)).open(link, timeout=WITHIN)
        return [{"name": one.name, "value": str(one.value), "url": self.url} for one in jar]


def make_hard_runs(root: Path) -> None:
    """Runs that are hard to show: labels of an enemy and in other scripts, two classes, no elite, a failure, a thousand
    classes."""
    make_run(root / "hard-labels", len(HARD_LABELS), 28, "grey", labels=HARD_LABELS, drawn=True)
    make_run(root / "two-classes", 2, 28, "grey", labels=("no", "yes"), drawn=True)
    make_run(root / "thousand", 1000, 32, "rgb", drawn=True)
    make_run(root / "failed", 10, 28, "grey", ended=False, drawn=True)
    with open(root / "failed" / "events.jsonl", "a") as file:
        file.write(json.dumps({"event": "failed", "generation": 400, "reason": FAILURE}) + "\n")
    make_run(root / "empty", 10, 28, "grey", ended=False)
    for checkpoint in (root / "empty" / "checkpoints").iterdir():
        checkpoint.unlink()
    (root / "empty" / "events.jsonl").write_text("")
    (root / "empty" / "lineage").write_bytes(b"")


def make_album(folder: Path, classes: int = 10, size: int = 28) -> Path:
    """Class folders of real images, if discs are real: two of each class."""
    for number in range(classes):
        (folder / str(number)).mkdir(parents=True)
        for which in range(2):
            across = np.linspace(-1, 1, size)
            distance = np.hypot(across[:, None] - which / 4, across[None])
            pixels = np.where(distance < 0.3 + number / 20, 230, 20 + 10 * number).astype(np.uint8)
            Image.fromarray(pixels).save(folder / str(number) / f"{which}.png")
    return folder


def copy_run(run: Path, path: Path) -> None:
    """A run directory, copied."""
    shutil.copytree(run, path)
