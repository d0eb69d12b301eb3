"""What the service answers, and how soon; what it costs the runs beside it.

    python -m benchmarks.service [--quick] [--cores 2] [--seconds 60]

A real `fooling serve` on this machine, asked over HTTP by this process. First image: from the start of the server and one
POST of `mnist-cppn` to the first elite's PNG, kernels compiled; medians of three. Answers: medians of 30 requests, one
client: a page of 100 runs where the folder has 10,000 (real directories, their files hard links of one run's), a page of
100 elites of a run of 1,000 classes, an image drawn anew at another size, and the same again. Clients: 50 threads that
ask for lists, pages and images and follow a run's events, while a run goes on; the run's evaluations/s with and without
them (the clients compute on the same cores), errors, the server's memory and open files before and after. No peer is measured beside it: none that is
installed serves runs.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch

import fooling
from benchmarks.report import arguments, parser, save
from fooling.classifiers import Spec, from_module
from fooling.present.markdown import table as markdown
from fooling.service.client import Client
from fooling.service.jobs import State

CLIENTS, ASKED = 50, 30


class Server:
    """`fooling serve` beside a folder, in a process of its own; a context manager."""

    def __init__(self, root: Path) -> None:
        line = [sys.executable, "-m", "fooling", "serve", "--root", str(root), "--port", "0", "--json"]
        self._errors = tempfile.TemporaryFile()
        self.process = subprocess.Popen(line, stdout=subprocess.PIPE, stderr=self._errors, text=True)
        assert self.process.stdout is not None
        ready = json.loads(self.process.stdout.readline())
        self.url: str = ready["url"]
        self.token = Path(ready["token_file"]).read_text().strip()
        self.client = Client(self.url, self.token)

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()
        self._errors.close()

    @property
    def megabytes(self) -> float:
        """Resident memory."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6

    @property
    def files(self) -> int:
        """Open files and sockets."""
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def ask(self, connection: http.client.HTTPConnection, path: str) -> int:
        """The status of an answer, which is read."""
        connection.request("GET", f"/api/v1{path}", headers={"Authorization": f"Bearer {self.token}"})
        answer = connection.getresponse()
        answer.read()
        return answer.status

    def connection(self) -> http.client.HTTPConnection:
        """A connection that is kept."""
        return http.client.HTTPConnection(self.url.removeprefix("http://"), timeout=60)

    def milliseconds(self, paths: Iterator[str]) -> float:
        """The median time of `ASKED` answers."""
        connection, times = self.connection(), []
        for _, path in zip(range(ASKED), paths, strict=False):
            began = time.perf_counter()
            status = self.ask(connection, path)
            times.append(time.perf_counter() - began)
            assert status == 200, f"{path}: {status}"
        return 1000 * statistics.median(times)


def first_image(folder: Path) -> float:
    """Seconds from the start of the server to the first elite's PNG."""
    began = time.perf_counter()
    with Server(folder) as server:
        job = server.client.launch("mnist-cppn")
        while not _shown(server, job.id):
            state = server.client.run(job.id).state
            assert state in (State.QUEUED, State.STARTING, State.RUNNING), f"the run is {state}"
            time.sleep(0.05)
        taken = time.perf_counter() - began
        server.client.cancel(job.id)
    return taken


def _shown(server: Server, run: str) -> bool:
    """Whether there is a first elite to look at."""
    try:
        return bool(server.client.png(run, 0))
    except fooling.errors.NotFoundError:  # not yet
        return False


def make_runs(root: Path, count: int) -> None:
    """A folder of `count` runs of ten classes and one of a thousand, `thousand`."""
    root.mkdir()
    made = fooling.run("mnist-cppn", out=root / "run-0", assignments=["search.generations=2"])
    kept = ("manifest.json", "events.jsonl", "lineage", "lock")
    files = [*kept, *(f"checkpoints/{path.name}" for path in (made.directory / "checkpoints").iterdir())]
    for number in range(1, count):
        (root / f"run-{number}" / "checkpoints").mkdir(parents=True)
        for name in files:
            os.link(made.directory / name, root / f"run-{number}" / name)
    torch.manual_seed(0)
    network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(28 * 28, 1000)).eval()
    spec = Spec(name="thousand", size=28, colour="grey", labels=tuple(f"class {k}" for k in range(1000)))
    fooling.run(
        "mnist-cppn",
        out=root / "thousand",
        classifier=from_module(network, spec),
        assignments=["search.generations=5"],
    )


def answers(server: Server, count: int) -> dict[str, float]:
    """Milliseconds of each kind of answer."""
    over = time.monotonic() + 300
    while _total(server) < count + 1:  # the index is being made
        assert time.monotonic() < over, f"expected {count + 1} runs in the index, found {_total(server)}"
        time.sleep(0.5)
    (run,) = (job.id for job in server.client.runs(q="thousand"))

    def again(path: str) -> Iterator[str]:
        while True:
            yield path

    return {
        f"100 of {count:,} runs": server.milliseconds(again("/runs?limit=100")),
        "100 elites of 1,000 classes": server.milliseconds(again(f"/runs/{run}/elites?limit=100")),
        "an image, drawn anew at 256x256": server.milliseconds(
            f"/runs/{run}/elites/{number}.png?size=256" for number in range(ASKED)
        ),
        "the same images again": server.milliseconds(
            f"/runs/{run}/elites/{number}.png?size=256" for number in range(ASKED)
        ),
    }


def _total(server: Server) -> int:
    connection = server.connection()
    connection.request("GET", "/api/v1/runs?limit=1", headers={"Authorization": f"Bearer {server.token}"})
    return json.loads(connection.getresponse().read())["total"]


def pace(server: Server, run: str, seconds: float) -> float:
    """Evaluations/s of a run in the next seconds."""
    before, began = server.client.run(run).progress.evaluations, time.perf_counter()
    time.sleep(seconds)
    return (server.client.run(run).progress.evaluations - before) / (time.perf_counter() - began)


def crowd(server: Server, run: str, seconds: float, during: Callable[[], float]) -> dict[str, Any]:
    """Many clients at once for some seconds, and what `during` measures meanwhile."""
    over, counts, errors = time.monotonic() + seconds, [0] * CLIENTS, [0] * CLIENTS
    paths = ("/runs?limit=50", f"/runs/{run}", f"/runs/{run}/elites", f"/runs/{run}/elites/3.png")

    def ask(number: int) -> None:
        connection = server.connection()
        while time.monotonic() < over:
            try:
                status = server.ask(connection, paths[counts[number] % len(paths)])
            except (OSError, http.client.HTTPException):
                status, connection = 0, server.connection()
            counts[number] += 1
            errors[number] += status != 200
            time.sleep(0.2)  # a person looks at a page, or a script waits

    def follow(number: int) -> None:
        try:
            for _ in server.client.events(run):
                counts[number] += 1
                if time.monotonic() > over:
                    return
        except fooling.errors.FoolingError:
            pass
        errors[number] += 1  # the stream ended before its time

    threads = [
        threading.Thread(target=follow if number % 5 == 0 else ask, args=(number,), daemon=True)
        for number in range(CLIENTS)
    ]
    for thread in threads:
        thread.start()
    measured = during()
    for thread in threads:
        thread.join(seconds + 60)
    return {"answers": sum(counts), "errors": sum(errors), "evaluations_per_second": measured}


def beside_a_run(seconds: float) -> dict[str, Any]:
    """What fifty clients cost a run, and the server."""
    with tempfile.TemporaryDirectory() as folder, Server(Path(folder) / "root") as server:
        job = server.client.launch("mnist-cppn", set={"search.generations": 1_000_000})
        while server.client.run(job.id).progress.generation < 50:
            time.sleep(0.2)
        before = {"megabytes": server.megabytes, "files": server.files}
        alone = pace(server, job.id, seconds / 2)
        found = crowd(server, job.id, seconds, lambda: pace(server, job.id, seconds))
        time.sleep(2)
        after = {"megabytes": server.megabytes, "files": server.files}
        server.client.cancel(job.id)
        return {"alone": alone, **found, "before": before, "after": after}


def main(given: argparse.Namespace) -> None:
    """All of it, on folders that are thrown away."""
    count, seconds = (300, 6.0) if given.quick else (10_000, given.seconds)
    with tempfile.TemporaryDirectory() as folder:
        first = [first_image(Path(folder) / f"first-{number}") for number in range(3)]
        make_runs(Path(folder) / "runs", count)
        with Server(Path(folder) / "runs") as server:
            times = answers(server, count)
    beside = beside_a_run(seconds)
    rows = [["start of the server, POST, first PNG", f"{statistics.median(first):.1f} s"]]
    rows += [[name, f"{value:.1f} ms"] for name, value in times.items()]
    before, after = beside["before"], beside["after"]
    crowded = [
        ["answers, errors", f"{beside['answers']:,}, {beside['errors']}"],
        ["evaluations/s of the run: alone, beside them", f"{beside['alone']:,.0f}, {beside['evaluations_per_second']:,.0f}"],
        ["server's memory before, after", f"{before['megabytes']:.0f} MB, {after['megabytes']:.0f} MB"],
        ["server's open files before, after", f"{before['files']}, {after['files']}"],
    ]  # fmt: skip
    tables = {
        "How soon": markdown(["what", "median"], rows),
        f"{CLIENTS} clients for {seconds:.0f} s": markdown(["what", ""], crowded),
    }
    save("service", {"first": first, "milliseconds": times, "beside": beside}, tables, given.quick)


if __name__ == "__main__":
    own = parser(__doc__)
    own.add_argument("--seconds", type=float, default=60.0, help="how long the clients ask (default: 60)")
    main(arguments(own))
