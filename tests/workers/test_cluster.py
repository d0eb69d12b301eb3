"""Joining a cluster, starting one, cleaning up: bad input in one line each, nothing left, nothing broken."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from fooling.errors import FoolingError, InvalidError
from tests.ray_clusters import Holder, processes, wait_until
from workers import cluster
from workers.cluster import Cluster, Resources, remove_leftovers
from workers.discovery import PROBE_SECONDS, failure_reason

pytestmark = pytest.mark.xdist_group("ray")

FEW = ("--set", "search.generations=2", "--set", "search.population=20", "--quiet")


def refusal(address: str) -> str:
    """Why a cluster can't be joined."""
    with pytest.raises(InvalidError) as failure:
        Cluster(address, 1, 1)
    assert failure.value.exit_code == 3
    assert "\n" not in str(failure.value)
    return str(failure.value)


@pytest.mark.parametrize(
    "address",
    [
        "nonsense",
        ":6379",
        "host:",
        "host:port",
        "host:0",
        "host:65536",
        "host:²",
        "ray://host:10001",
        "",
        "host:-1",
    ],
)
def test_a_malformed_address(address):
    """A failure costs two minutes, after which Ray ends the process without a word."""
    expected = f"--address {address}: expected HOST:PORT of a Ray head node, like 10.0.0.1:6379"
    assert refusal(address) == expected


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("127.0.0.1:1", "Connection refused"),
        ("no-such-host.invalid:6379", ""),  # in the words of the system's resolver
        ("a..b:6379", ""),
        ("x" * 70 + ":6379", ""),
    ],
)
def test_nobody_is_there(address, reason):
    """A failure costs two minutes of Ray's own patience, or a traceback."""
    began = time.monotonic()
    found = refusal(address)
    assert found.startswith(f"no Ray cluster at {address}: {reason}")
    assert found.endswith("; start one with: ray start --head")
    assert time.monotonic() - began < 60


def test_the_meaning_of_ray_s_own_message_about_versions():
    """Ray's words may change with its version: this is what it says now."""
    from ray._private.utils import check_version_info

    python = ".".join(map(str, sys.version_info[:3]))
    with pytest.raises(RuntimeError) as failure:
        check_version_info({"ray_version": "2.1.0", "python_version": python}, "here")
    said = "PROBE " + " ".join(str(failure.value).split())
    reason = failure_reason(said)
    assert reason is not None
    assert reason.startswith("its versions of Ray or Python are not the ones here; install the same on all")
    assert "2.1.0" in reason
    assert "\n" not in reason


def test_what_has_no_meaning_yet():
    """A failure ends a probe that would have joined the cluster."""
    assert failure_reason("2026-11-21 03:08:52 INFO worker.py -- Connecting to existing Ray cluster") is None
    assert failure_reason("PROBE something else") == "something else"


class Web(BaseHTTPRequestHandler):
    """Answers, but is no Ray."""

    def log_message(self, *_: object) -> None: ...


@pytest.mark.slow
def test_something_else_answers(monkeypatch):
    """A failure costs two minutes with an address that is not Ray."""
    monkeypatch.setenv("RAY_AUTH_TOKEN", "0" * 64)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Web)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        address = f"127.0.0.1:{server.server_port}"
        began = time.monotonic()
        found = refusal(address)
        assert found.startswith(f"can't join the Ray cluster at {address}: ")
        assert time.monotonic() - began < PROBE_SECONDS + 60
    finally:
        server.shutdown()


@pytest.fixture(scope="module")
def holder() -> Iterator[Holder]:
    with Holder() as held:
        yield held


@pytest.mark.slow
@pytest.mark.parametrize("token", ["f" * 64, None, "", "short"], ids=["wrong", "none", "empty", "no token"])
def test_the_token_does_not_match(token, holder, monkeypatch, tmp_path):
    """A failure costs half a minute, then a bare ConnectionError."""
    monkeypatch.setattr(cluster, "_TOKEN_FILE", tmp_path / "none")
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("RAY_AUTH_TOKEN", "RAY_AUTH_MODE", "RAY_AUTH_TOKEN_PATH"):
        monkeypatch.delenv(name, raising=False)
    if token is not None:
        monkeypatch.setenv("RAY_AUTH_TOKEN", token)
    found = refusal(holder.address)
    assert found.startswith(f"can't join the Ray cluster at {holder.address}: ")
    assert "the token does not match; give the cluster's (RAY_AUTH_MODE=token and RAY_AUTH_TOKEN, " in found
    assert os.environ.get("RAY_AUTH_TOKEN") == token


@pytest.mark.slow
def test_the_token_in_a_file(holder, monkeypatch, tmp_path):
    """As Ray's own documentation has it; the environment is as before afterwards."""
    file = tmp_path / "token"
    file.write_text(holder.token)
    file.chmod(0o600)
    monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", str(file))
    monkeypatch.delenv("RAY_AUTH_TOKEN", raising=False)
    before = dict(os.environ)
    with holder.node(cpus=2), Cluster(holder.address, 1, 1) as joined:
        assert joined.total == Resources(2, 0)
        assert joined.free == Resources(2, 0)
        assert not joined.is_ours
    assert dict(os.environ) == before


@pytest.mark.slow
def test_auto(holder, fooling, monkeypatch, tmp_path):
    """One cluster on this machine is found, of none or several the user is told. The test can't know what
    else runs here, so both ways of it count."""
    with holder.node(cpus=1):
        command = ("run", "--out", tmp_path / "run", "--address", "auto", "--workers", "1", *FEW)
        result = fooling(*command, env=holder.environment)
    assert result.returncode in (0, 3)
    if result.returncode:
        (line,) = result.stderr.splitlines()
        assert line.startswith(("error: --address auto: expected one Ray cluster on this machine, found ",))
        assert holder.address in line


def bad(fooling: Callable, arguments: tuple[str, ...], code: int, **options: object) -> str:
    """The one line that a run ends with."""
    result = fooling("run", *arguments, *FEW, **options)
    assert result.returncode == code, result.stderr
    (line,) = result.stderr.splitlines()
    assert result.stdout == ""
    return line.removeprefix("error: ")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("settings", "code", "line"),
    [
        ((), 1, "expected 3 GPUs, the cluster has 2; take fewer --workers, or leave out --no-wait"),
        (("--set", "run.gpus=1.5"), 3, "run.gpus: expected 0, a share of at least 0.0001, or a whole number"),
        (
            ("--set", "run.device=cuda:1"),
            3,
            'run.device: expected "cuda" with Ray, which assigns GPUs, found',
        ),
    ],
)
def test_gpus_that_are_not_there(settings, code, line, holder, fooling, tmp_path):
    """A failure costs a run that waits for ever for GPUs that nobody has."""
    gpus = ("--set", "run.gpus=1", "--set", "run.device=cpu", "--workers", "3", "--no-wait", *settings)
    with holder.node(gpus=2):
        on = ("--out", str(tmp_path / "run"), "--address", holder.address, *gpus)
        assert bad(fooling, on, code, env=holder.environment).startswith(line)
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_a_gpu_that_this_machine_lacks(fooling, tmp_path):
    """Nobody can add one to a cluster of our own: it does not wait."""
    import torch

    if torch.cuda.is_available():
        pytest.skip("there is one")
    arguments = ("--out", str(tmp_path / "run"), "--workers", "2", "--set", "run.device=cuda")
    assert bad(fooling, arguments, 1) == (
        "expected 2 GPUs, this machine has 0; take fewer --workers or less for each"
    )


@pytest.mark.slow
def test_a_gpu_that_torch_does_not_find_on_the_worker(holder, fooling, tmp_path):
    """The cluster says that there are GPUs; the machine has none. A failure costs a search in Ray's logs."""
    import torch

    if torch.cuda.is_available():
        pytest.skip("there is one")
    with holder.node(gpus=2):
        on = ("--out", str(tmp_path / "run"), "--address", holder.address, "--workers", "1")
        line = bad(fooling, (*on, "--set", "run.device=cuda"), 1, env=holder.environment)
    assert line.startswith("workers can't start: device 'cuda' asked for, but torch finds no CUDA here")


MODEL = """
import os
import torch
from torch import nn
from fooling import classifiers

def made():
    torch.manual_seed(int(os.environ.get("SEED", "1")))
    network = nn.Sequential(nn.Flatten(), nn.Linear(64, 4)).eval()
    return network, classifiers.Spec(name="here", size=8, colour="grey", labels=tuple("abcd"))
"""


@pytest.mark.slow
def test_a_classifier_that_is_not_on_the_worker_or_another_there(holder, fooling, tmp_path):
    """Each said in one line. A failure costs an archive of two networks, or a search in Ray's logs."""
    (tmp_path / "model.py").write_text(MODEL)
    variables = {**holder.environment, "PYTHONPATH": str(tmp_path)}
    on = ("--address", holder.address, "--workers", "1", "--model", "python:model:made", "--trust")
    with holder.node():
        line = bad(fooling, ("--out", str(tmp_path / "run"), *on), 1, env=variables)
        assert line.startswith(
            "workers can't start: expected a Python module 'model': No module named 'model'"
        )
    with holder.node(PYTHONPATH=str(tmp_path), SEED="2"):
        line = bad(fooling, ("--out", str(tmp_path / "run"), *on), 1, env=variables)
        assert " is another one than here: its fingerprint is " in line
        assert line.endswith("; give all machines the same files")
    with holder.node(PYTHONPATH=str(tmp_path)):
        result = fooling("run", "--out", tmp_path / "run", *on, *FEW, env=variables)
        assert result.returncode == 0, result.stderr


# Cleaning up.


def test_leftovers_of_the_dead_are_removed_and_of_nobody_else(tmp_path, monkeypatch):
    """A failure costs a living run its cluster, or the disk."""
    monkeypatch.setattr(cluster, "_parent_folder", lambda: tmp_path)
    alive, dead = str(os.getpid()), "4194305"  # more than a pid can be
    folders = {
        name: tmp_path / f"fooling-ray-{name}" for name in (f"{alive}-held", f"{dead}-held", f"{dead}-free")
    }
    for folder in folders.values():
        (folder / "session").mkdir(parents=True)
        (folder / "lock").touch()
    begun = tmp_path / f"fooling-ray-{alive}-begun"
    never = tmp_path / f"fooling-ray-{dead}-begun"
    other = tmp_path / "fooling-rayon"
    for folder in (begun, never, other):
        folder.mkdir()
    stray = subprocess.Popen(["sleep", "600"], env={**os.environ, cluster.MARK: str(folders[f"{dead}-free"])})
    # A process that has just begun has no environment yet that others can read.
    mark = f"{cluster.MARK}={folders[f'{dead}-free']}"
    wait_until(lambda: stray.pid in processes(mark, environ=True), "the stray has its environment")
    with open(folders[f"{alive}-held"] / "lock") as mine, open(folders[f"{dead}-held"] / "lock") as others:
        for file in (mine, others):
            fcntl.flock(file, fcntl.LOCK_EX)
        assert sorted(remove_leftovers()) == sorted([folders[f"{dead}-free"], never])
        assert remove_leftovers() == []
    assert stray.wait(200) == -9
    left = {folders[f"{alive}-held"], folders[f"{dead}-held"], begun, other}
    assert set(tmp_path.iterdir()) == left


def test_no_room_for_a_folder(monkeypatch):
    """One line, and the environment as it was."""
    import ray  # the first import in a process leaves its own mark in the environment

    monkeypatch.setattr(cluster, "_parent_folder", lambda: Path("/proc/none"))
    before = dict(os.environ)
    with pytest.raises(FoolingError, match=r"^can't start Ray: no folder in /proc/none: No such file"):
        Cluster(None, 1, 10**8)
    assert dict(os.environ) == before
    assert not ray.is_initialized()


@pytest.mark.slow
def test_a_cluster_of_our_own():
    """Private, and gone without a trace when the block is left. The connection of a program that has one
    already is used and left alone."""
    import ray

    before = dict(os.environ)
    with Cluster(None, 2, 10**8) as ours:
        assert ours.is_ours
        assert ours.total == Resources(2, 0)
        folder = Path(os.environ[cluster.MARK])
        assert folder.stat().st_mode & 0o077 == 0
        assert len(os.environ["RAY_AUTH_TOKEN"]) == 64
        assert processes(f"{cluster.MARK}={folder}", environ=True)
        assert remove_leftovers() == [] or folder.exists()
        with Cluster(None, 1, 1) as second:
            assert not second.is_ours
            assert second.total == Resources(2, 0)
        assert ray.is_initialized()
    assert not ray.is_initialized()
    assert not folder.exists()
    assert processes(f"{cluster.MARK}={folder}", environ=True) == []
    assert dict(os.environ) == before
    ours.close()  # twice is once


@pytest.mark.slow
def test_two_clusters_of_our_own_side_by_side(fooling, environment, tmp_path):
    """Two runs on one machine do not see each other. A failure costs both."""
    commands = [
        subprocess.Popen(
            [sys.executable, "-m", "fooling", "run", "--out", str(tmp_path / str(n)), "--workers", "1", *FEW],
            env=environment,
            stderr=subprocess.PIPE,
            text=True,
        )
        for n in range(2)
    ]
    for command in commands:
        _, said = command.communicate(timeout=200)
        assert command.returncode == 0, said
        assert not list(Path("/tmp").glob(f"fooling-ray-{command.pid}-*"))
    logs = [list((tmp_path / str(n) / "logs").iterdir()) for n in range(2)]
    assert [len(files) for files in logs] == [1, 1]


def test_room_for_workers():
    """Node by node, GPU by GPU. A failure costs a run that waits for ever, or one that asks for too little."""
    node = Resources(8, 4)
    room = {(1, 0): 8, (3, 0): 2, (9, 0): 0, (1, 1): 4, (1, 2): 2, (1, 3): 1, (1, 0.5): 8, (0, 0.5): 8}
    room |= {(1, 0.6): 4, (0, 0.3): 12, (0, 1 / 3): 12, (0, 0.1): 40, (3, 0.5): 2, (0, 5): 0}
    for need, count in room.items():
        assert cluster._room_on(node, Resources(*need)) == count, need


def test_resources_in_words():
    """A failure costs the line that says what a run waits for."""
    assert str(Resources(1, 0)) == "1 CPU core"
    assert str(Resources(2, 0.5)) == "2 CPU cores and 0.5 GPUs"
    assert str(Resources(0, 1)) == "1 GPU"


def test_wait_until_gives_up():
    """A failure costs the tests that wait: they would never end."""
    with pytest.raises(AssertionError, match="never"):
        wait_until(lambda: False, "never", 0.1)
