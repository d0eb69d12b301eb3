"""The service behind a socket, and the client that talks to it."""

from __future__ import annotations

import asyncio
import http.client
import io
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from fooling.cli.app import cli
from fooling.errors import FoolingError, InvalidError, NotFoundError
from fooling.service import server
from fooling.service.app import create_app
from fooling.service.client import Client, ServerError
from fooling.service.jobs import Jobs
from fooling.service.settings import Limits, ServiceSettings
from tests.fooling.service.conftest import TOKEN, UNKNOWN
from tests.fooling.service.jobs.tiny_jobs import kill_all
from tests.fooling.service.test_live import Log


class Served:
    """A service that listens, in a thread."""

    def __init__(self, root: Path, **settings: Any) -> None:
        self.root, self.jobs = root, Jobs(root, 0)
        self._socket = server.listen("127.0.0.1", 0)
        port = self._socket.getsockname()[1]
        self.settings = ServiceSettings(root=root, token=TOKEN, port=port, **settings)
        self.app = create_app(self.jobs, self.settings)
        ready = threading.Event()
        self._server = server.Server(self.app, ready.set)
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        assert ready.wait(30)
        self.client = Client(self.settings.url, TOKEN, timeout=20)

    def _run(self) -> None:
        asyncio.run(self._server.serve(sockets=[self._socket]))

    def close(self) -> None:
        self._server.should_exit = True
        self._thread.join(30)
        self._socket.close()
        self.jobs.close()
        assert not self._thread.is_alive()

    def raw(self, data: bytes, seconds: float = 20) -> bytes:
        """What is answered to these bytes until the connection ends."""
        with socket.create_connection(("127.0.0.1", self.settings.port), timeout=seconds) as connection:
            connection.sendall(data)
            found = b""
            while block := connection.recv(65536):
                found += block
            return found

    def asked(self, target: str, *headers: str) -> bytes:
        lines = [
            f"GET {target} HTTP/1.1",
            f"Host: 127.0.0.1:{self.settings.port}",
            "Connection: close",
            *headers,
        ]
        return self.raw(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, small_run: tuple[Path, dict[str, Any]]) -> Path:
    root = tmp_path_factory.mktemp("served") / "runs"
    shutil.copytree(small_run[0], root / "mine")
    return root


@pytest.fixture(scope="module")
def served(folder: Path) -> Iterator[Served]:
    found = Served(folder)
    yield found
    found.close()


def test_the_client_reads_a_run(
    served: Served, small_run: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    """A failure means that the models of the client are not those of the server."""
    client, told = served.client, small_run[1]
    (job,) = client.runs(q="mine", limit=1)
    run = client.run(job.id)
    assert run.archive_sha256 == told["archive_sha256"]
    elites = list(client.elites(job.id, limit=3, sort="-confidence"))
    assert len(elites) == 10
    assert elites[0].confidence == max(elite["confidence"] for elite in told["elites"])
    pixels = np.asarray(Image.open(io.BytesIO(client.png(job.id, 3))))
    assert np.array_equal(pixels, np.asarray(Image.open(small_run[0] / "elites" / "0003.png")))
    assert Image.open(io.BytesIO(client.png(job.id, 3, size=64))).size == (64, 64)
    assert client.lineage(job.id, 3).ancestors[-1].id == next(
        elite.id for elite in elites if elite.number == 3
    )
    events = list(client.events(job.id))
    assert [event.data["generation"] for event in events if event.kind == "generation"] == list(range(13))
    assert list(client.events(job.id, last=events[-1].id)) == []
    assert zipfile.ZipFile(io.BytesIO(b"".join(client.export(job.id)))).testzip() is None
    assert "builtin:lenet" in [model.spec for model in client.models().items]
    assert any(config.name == "mnist-cppn" for config in client.configs().items)
    assert list(client.studies()) == []


def test_the_client_tells_what_is_wrong(served: Served) -> None:
    """A failure shows a traceback of somebody's library."""
    with pytest.raises(NotFoundError):
        served.client.run(UNKNOWN)
    with pytest.raises(NotFoundError):
        served.client.run("../../etc")
    with pytest.raises(ServerError, match="none of those") as found:
        served.client.launch(model="python:os:system")
    assert found.value.status == 403
    with pytest.raises(ServerError, match="token"):
        Client(served.settings.url, "wrong").models()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        with pytest.raises(ServerError, match="can't be reached"):
            Client(f"http://127.0.0.1:{free.getsockname()[1]}").models()
    for url in ("127.0.0.1:8000", "ftp://a", "http://", "http://a:b", "http://a?b"):
        with pytest.raises(InvalidError):
            Client(url)


def test_a_run_is_followed_while_it_goes_on_and_is_cut_back(folder: Path) -> None:
    """A failure misses generations of a run that is resumed while somebody looks, or tells them twice."""
    jobs = Jobs(folder, 0)
    served = Served(folder)
    try:
        job = served.client.launch("mnist-cppn", set={"search.generations": 2})
        events = served.client.events(job.id)
        assert next(events).data["state"] == "queued"
        directory = jobs.directory(job.id)
        directory.mkdir()
        log = Log(jobs.events_file(job.id))
        log.generations(3)
        log.save()
        log.generations(2)
        seen = [next(events) for _ in range(7)]
        log.tear()
        log.resume()
        log.generations(4)
        seen += [next(events) for _ in range(3)]
        numbers = [event.data["generation"] for event in seen if event.kind == "generation"]
        assert numbers == [0, 1, 2, 3, 4, 5, 6]
        assert [event.kind for event in seen if event.kind != "generation"] == [
            "checkpointing",
            "checkpoint",
            "resume",
        ]
        served.client.cancel(job.id)
        rest = list(events)
        assert rest[-1].data["state"] == "cancelled"
    finally:
        served.close()
        jobs.close()


@pytest.mark.parametrize(
    "target",
    ["/api/v1/runs/..", "/api/v1/runs/../runs", "//api/v1/runs", "/api/v1/runs/..%2f..%2f", "/api/v1/../v1/runs", "/..",
     "/api/v1/runs/..\\..", "/api/v1/runs/%00", "/api/v1/runs/.", "http://evil.test/api/v1/runs", "/api/v1/runs/\xff", "*"],
)  # fmt: skip
def test_paths_that_clients_usually_mend(served: Served, target: str) -> None:
    """Most clients take the dots out of a path; an attacker's doesn't. A failure reads outside of the folder."""
    answer = served.asked(target, f"Authorization: Bearer {TOKEN}")
    assert answer.split(b" ", 2)[1] in (b"400", b"404"), answer
    assert str(served.root).encode() not in answer
    assert b"Traceback" not in answer


def test_two_hosts_are_none(served: Served) -> None:
    """A proxy may look at the first and we at the second. A failure lets a name through that nobody has checked."""
    answer = served.asked("/api/v1/runs", "Host: evil.test", f"Authorization: Bearer {TOKEN}")
    assert answer.split(b" ", 2)[1] in (b"400", b"421"), answer


def test_heads_and_bodies_that_never_end(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A failure lets one client hold all connections with a byte a minute, or fill the memory with headers."""
    monkeypatch.setattr(server, "HEADER_SECONDS", 0.3)
    served = Served(folder, limits=Limits(body_seconds=0.3))
    try:
        began = time.monotonic()
        assert served.raw(b"GET / HTTP/1.1\r\nHost: ") == b""
        assert served.raw(b"") == b""
        head = f"POST /api/v1/runs HTTP/1.1\r\nHost: 127.0.0.1:{served.settings.port}\r\nAuthorization: Bearer {TOKEN}\r\n"
        head += "Content-Type: application/json\r\nConnection: close\r\nContent-Length: 50\r\n\r\n{"
        assert served.raw(head.encode()).split(b" ", 2)[1] == b"408"
        assert time.monotonic() - began < 15
        try:  # the answer may be lost, since more was sent than was read
            answer = served.raw(b"GET / HTTP/1.1\r\nX: " + b"x" * 2**17 + b"\r\n\r\n")
        except ConnectionResetError:
            answer = b""
        assert b"200" not in answer[:20]
        for _ in range(3):  # a connection that is kept does not end in the middle of the next request
            served.client.models()
    finally:
        served.close()


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))


def test_servers_that_end_leave_nothing(folder: Path) -> None:
    """A failure leaks descriptors, or waits for a stream that never ends."""
    before = 0
    for round in range(11):
        if round == 1:  # what is opened once and kept was opened in the first
            before = open_files()
        served = Served(folder)
        job = served.client.launch("mnist-cppn", key="waits")
        connection = http.client.HTTPConnection("127.0.0.1", served.settings.port, timeout=20)
        connection.request(
            "GET", f"/api/v1/runs/{job.id}/events", headers={"Authorization": f"Bearer {TOKEN}"}
        )
        assert connection.getresponse().readline().startswith(b"event: state")
        began = time.monotonic()
        served.close()
        connection.close()
        assert time.monotonic() - began < 10
    assert open_files() <= before


def test_too_many_connections_are_refused_and_the_others_go_on(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A failure lets whoever opens a thousand streams shut everybody else out, those too that are there."""
    monkeypatch.setattr(server, "MOST_CONNECTIONS", 20)
    served = Served(folder, limits=Limits(streams=2))
    opened: list[socket.socket] = []
    try:
        job = served.client.launch("mnist-cppn", key="waits")
        lines = (
            f"GET /api/v1/runs/{job.id}/events HTTP/1.1",
            f"Host: 127.0.0.1:{served.settings.port}",
            "",
            "",
        )
        request = "\r\n".join((*lines[:2], f"Authorization: Bearer {TOKEN}", *lines[2:])).encode()
        told: dict[bytes, int] = {}
        for _ in range(40):
            opened.append(socket.create_connection(("127.0.0.1", served.settings.port), timeout=20))
            opened[-1].sendall(request)
            status = opened[-1].recv(4096).split(b" ", 2)[1]
            told[status] = told.get(status, 0) + 1
        assert told == {b"200": 2, b"503": 38}
        first = opened[2]  # which was refused a stream, and asks for something else
        first.sendall(request.replace(b"/events", b""))
        found = b""
        while b"HTTP/1.1 200" not in found:
            block = first.recv(65536)
            assert block, found
            found += block
    finally:
        for each in opened:
            each.close()
        served.close()


def test_streams_that_are_left_give_their_places_back(folder: Path) -> None:
    """A failure refuses everybody after as many reloads of a page as there are places."""
    served = Served(folder, limits=Limits(streams=2))
    try:
        job = served.client.launch("mnist-cppn", key="waits")
        for _ in range(6):
            connection = http.client.HTTPConnection("127.0.0.1", served.settings.port, timeout=20)
            for _attempt in range(50):
                connection.request(
                    "GET", f"/api/v1/runs/{job.id}/events", headers={"Authorization": f"Bearer {TOKEN}"}
                )
                answer = connection.getresponse()
                if answer.status == 200:
                    break
                answer.read()
                time.sleep(0.1)
            assert answer.status == 200
            answer.readline()
            connection.close()
            answer.close()
    finally:
        served.close()


def test_a_port_that_is_taken(served: Served) -> None:
    """A failure ends in a traceback."""
    with pytest.raises(FoolingError, match="--port"):
        server.listen("127.0.0.1", served.settings.port)
    with pytest.raises(FoolingError, match="can't listen"):
        server.listen("999.0.0.1", 0)


def test_run_on_a_server_refuses_what_is_of_this_machine(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A failure takes --out for granted and writes nothing there, or sends a token to nobody."""
    monkeypatch.delenv("FOOLING_TOKEN", raising=False)
    url = "http://127.0.0.1:1"
    refused = CliRunner().invoke(cli, ["run", "--server", url, "--out", "x"])
    assert refused.exit_code == 2
    assert "--out" in refused.output
    missing = CliRunner().invoke(cli, ["run", "--server", url])
    assert isinstance(missing.exception, InvalidError)
    assert "--token-file" in str(missing.exception)
    gone = CliRunner().invoke(cli, ["run", "--server", url, "--token-file", str(tmp_path / "none")])
    assert isinstance(gone.exception, NotFoundError)


@pytest.mark.slow
def test_from_serve_to_an_elite(tmp_path: Path, environment: dict[str, str], fooling: Any) -> None:
    """The main face, as a user meets it. A failure breaks it for all: the line when it is ready, the token file, the run that
    `fooling run --server` launches, the digests of the command line's own run, the end by SIGTERM."""
    root = tmp_path / "runs"
    process = subprocess.Popen(
        [sys.executable, "-m", "fooling", "serve", "--root", root, "--port", "0", "--json"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        assert set(ready) == {"url", "token_file", "login"}
        assert Path(ready["token_file"]).stat().st_mode & 0o077 == 0
        options = (
            "mnist-cppn",
            "--seed",
            5,
            "--set",
            "search.generations=6",
            "--set",
            "search.population=40",
            "--json",
        )
        launched = fooling("run", *options, "--server", ready["url"], "--token-file", ready["token_file"])
        assert launched.returncode == 0, launched.stderr
        run = json.loads(launched.stdout)
        here = fooling("run", *options, "--out", tmp_path / "here", "--quiet")
        told = json.loads(here.stdout)
        for key in ("archive_sha256", "lineage_sha256"):
            assert run[key] == told[key]
        client = Client(ready["url"], Path(ready["token_file"]).read_text().strip())
        png = np.asarray(Image.open(io.BytesIO(client.png(run["id"], 3))))
        assert np.array_equal(png, np.asarray(Image.open(tmp_path / "here" / "elites" / "0003.png")))
        process.send_signal(signal.SIGTERM)
        _, log = process.communicate(timeout=20)
        assert process.returncode == 0, log
        assert client._token not in log
        assert "Traceback" not in log
    finally:
        process.kill()
        process.wait()
        kill_all(root)


def test_what_is_preloaded_is_there() -> None:
    """A failure ends the thread in silence, and the first elite takes seconds."""
    server._draw_once()
