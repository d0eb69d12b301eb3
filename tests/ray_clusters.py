"""Real Ray clusters of several nodes for tests, each in a process of its own, and cheap hosts to compute on.

Run as a script it holds a cluster and obeys lines of JSON on stdin: {"add": {...}, "env": {...}} adds a node
and answers with its number; {"remove": NUMBER, "graceful": BOOL} removes one.
"""

from __future__ import annotations

import itertools
import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

STORE_BYTES = 100 * 2**20
# A killed node is missed within two seconds, not twenty.
HEALTH = {"period_ms": "500", "timeout_ms": "3000", "failure_threshold": "3", "initial_delay_ms": "0"}


class Holder:
    """A cluster whose head node has no resources; nodes are added to it. A context manager, which ends it."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="ray-test-"))  # short: it holds sockets
        self.token = secrets.token_hex(32)
        self.environment = {
            "RAY_AUTH_MODE": "token",
            "RAY_AUTH_TOKEN": self.token,
            "RAY_USAGE_STATS_ENABLED": "0",
            "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",
        }
        (self._folder / "ray").mkdir()  # where Ray then puts everything
        health = {f"RAY_health_check_{name}": value for name, value in HEALTH.items()}
        environment = {**os.environ, **self.environment, **health, "RAY_TMPDIR": str(self._folder)}
        log = open(self._folder / "holder.log", "wb")
        with log:
            self._process = subprocess.Popen(
                [sys.executable, __file__],
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        self.address: str = self._answer()

    def __enter__(self) -> Holder:
        return self

    def __exit__(self, *_: Any) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(200)
        shutil.rmtree(self._folder, ignore_errors=True)

    def add(self, cpus: float = 1, gpus: float = 0, **environment: str) -> int:
        """Add a node; returns its number."""
        return self._ask({"add": {"num_cpus": cpus, "num_gpus": gpus}, "env": environment})

    def remove(self, node: int) -> None:
        """Let a node go, and wait until the cluster knows."""
        self._ask({"remove": node, "graceful": True})

    def kill(self, node: int) -> None:
        """Kill a node and all that runs on it."""
        self._ask({"remove": node, "graceful": False})

    def workers(self) -> list[int]:
        """The processes of Ray workers on all nodes."""
        mine = processes(f"RAY_TMPDIR={self._folder}", environ=True)
        return sorted(set(processes("ray::Worker")) & set(mine))

    @contextmanager
    def node(self, cpus: float = 1, gpus: float = 0, **environment: str) -> Iterator[int]:
        """A node for the time of a block."""
        number = self.add(cpus, gpus, **environment)
        try:
            yield number
        finally:
            self.remove(number)

    def _ask(self, request: dict[str, Any]) -> Any:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> Any:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith("ANSWER "):
                return json.loads(line.removeprefix("ANSWER "))
        raise RuntimeError((self._folder / "holder.log").read_text()[-2000:])


def processes(*signs: str, environ: bool = False) -> list[int]:
    """The running processes whose command line (or environment) has all of some texts in it."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            text = (folder / ("environ" if environ else "cmdline")).read_bytes().replace(b"\0", b" ").decode()
            dead = (folder / "stat").read_text().rpartition(")")[2].split()[0] == "Z"
        except OSError:
            continue
        if not dead and int(folder.name) != os.getpid() and all(sign in text for sign in signs):
            found.append(int(folder.name))
    return found


def wait_until(holds: Callable[[], Any], what: str, seconds: float = 200) -> Any:
    """The first truth that `holds` returns."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if value := holds():
            return value
        time.sleep(0.05)
    raise AssertionError(f"not within {seconds} s: {what}")


def _hold() -> None:
    from ray.cluster_utils import Cluster

    def answer(value: Any) -> None:
        print("ANSWER", json.dumps(value), flush=True)

    head = {"num_cpus": 0, "object_store_memory": STORE_BYTES, "include_dashboard": False}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    nodes: dict[int, Any] = {}
    numbers = itertools.count()
    answer(cluster.address)
    for line in sys.stdin:
        request = json.loads(line)
        if "add" in request:
            os.environ.update(request["env"])
            number = next(numbers)
            nodes[number] = cluster.add_node(object_store_memory=STORE_BYTES, **request["add"])
            for name in request["env"]:
                del os.environ[name]
            answer(number)
        else:
            cluster.remove_node(nodes.pop(request["remove"]), allow_graceful=request["graceful"])
            if request["graceful"]:  # else the cluster is to find out
                wait_until(lambda: len(cluster.global_state._live_node_ids()) == 1 + len(nodes), "removal")
            answer(None)
    cluster.shutdown()


if __name__ == "__main__":
    _hold()
