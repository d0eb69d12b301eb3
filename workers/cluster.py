"""The Ray cluster of a run: one that is started for it on this machine, or one that was there before.

What we start is private (a token of its own, which no file holds), quiet, and leaves nothing behind: its
processes die with this one, and its folder is deleted at the end or, after a SIGKILL, by the next start
or `fooling doctor`. A cluster that was there before is only joined and left.
"""

from __future__ import annotations

import fcntl
import importlib
import logging
import os
import secrets
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

from fooling.errors import FoolingError, InvalidError
from workers.discovery import first_line, found, probe
from workers.processes import end_marked, is_alive
from workers.signals import deferred, undisturbed

PREFIX = "fooling-ray-"  # of the folders that our clusters keep their sockets and logs in
MARK = "FOOLING_RAY_FOLDER"  # in the environment of their processes
SHORT = 10  # characters of a folder for temporary files in which Ray's sockets can live
_TOKEN_FILE = Path(os.path.expanduser("~/.ray/auth_token"))  # where Ray itself looks; there may be no home
_QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",
    "RAY_worker_niceness": "0",  # as the local executor: not behind whatever else the machine does
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # we name devices ourselves
}


@dataclass(frozen=True)
class Resources:
    """What a cluster has, or a worker needs: CPU cores and GPUs, fractions allowed."""

    cpus: float
    gpus: float

    def __le__(self, other: Resources) -> bool:
        return self.cpus <= other.cpus + 1e-9 and self.gpus <= other.gpus + 1e-9

    def __str__(self) -> str:
        named = ((self.cpus, "CPU core"), (self.gpus, "GPU"))
        return " and ".join(f"{n:g} {name}{'s' if n != 1 else ''}" for n, name in named if n)

    def __mul__(self, count: int) -> Resources:
        return Resources(self.cpus * count, self.gpus * count)


class Cluster:
    """A connection to a Ray cluster; a context manager, which leaves it."""

    def __init__(self, address: str | None, cores: int, store_bytes: int) -> None:
        """
        Args:
            address: HOST:PORT of a cluster, "auto" for one of this machine; None starts one.
            cores: of the cluster that is started: as many as its workers need, even on a smaller machine.
            store_bytes: of its object store.

        Raises:
            InvalidError: no such address, a token or a version that does not match.
        """
        self.address = address
        self._folder: Path | None = None
        self._claim: BinaryIO | None = None
        self._printer: Any = None  # Ray's own, while we are connected
        self._environment: dict[str, str | None] = {}
        self._ours = not _is_connected()  # a program that uses Ray already keeps its connection
        if not self._ours:
            return
        try:
            if address is None:
                self._start(cores, store_bytes)
            else:
                self._join(found(address))
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Cluster:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def is_ours(self) -> bool:
        """Whether it was started here, for this run."""
        return self._folder is not None

    @property
    def total(self) -> Resources:
        """What the living nodes have."""
        import ray

        return _resources(ray.cluster_resources())

    @property
    def free(self) -> Resources:
        """What of it nobody uses."""
        import ray

        return _resources(ray.available_resources())

    def room(self, need: Resources) -> int:
        """How many workers the living nodes can hold: each has to fit on one node, a share of a GPU on one GPU."""
        import ray

        nodes = (_resources(node["Resources"]) for node in ray.nodes() if node["Alive"])
        return sum(_fitting(node, need) for node in nodes)

    def close(self) -> None:
        """Leave the cluster; where it is ours, stop it and delete its folder. May be called twice."""
        if not self._ours:
            return
        with undisturbed():
            if self._printer is not None:
                import ray

                ray.shutdown()
                ray._private.worker.print_to_stdstream = self._printer
                self._printer = None
            if self._folder is not None:
                _remove(self._folder)
                self._folder = None
            if self._claim is not None:
                self._claim.close()
                self._claim = None
        for name, value in self._environment.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        self._environment = {}

    def _start(self, cores: int, store_bytes: int) -> None:
        remove_leftovers()
        self._set({})
        try:
            folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-", dir=_base()))
            self._folder, self._claim = folder, open(folder / "lock", "wb")
        except OSError as error:
            raise FoolingError(f"can't start Ray: no folder in {_base()}: {error.strerror}") from None
        fcntl.flock(self._claim, fcntl.LOCK_EX)
        # All of our processes inherit these: the token is the fence around the ports that Ray opens.
        self._set({MARK: str(folder), "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)})
        try:
            self._connect(
                address="local",  # whatever RAY_ADDRESS says, or other clusters of this machine
                num_cpus=cores,
                object_store_memory=store_bytes,
                include_dashboard=False,
                _temp_dir=str(folder / "r"),  # which Ray opens to everybody
            )
        except Exception as error:
            raise FoolingError(f"can't start Ray on this machine: {first_line(error)}") from error

    def _join(self, address: str) -> None:
        if "RAY_AUTH_TOKEN" in os.environ or "RAY_AUTH_TOKEN_PATH" in os.environ or _TOKEN_FILE.exists():
            self._set({"RAY_AUTH_MODE": os.environ.get("RAY_AUTH_MODE", "token")})
        else:
            self._set({})
        probe(address)
        try:
            self._connect(address=address)
        except Exception as error:
            raise InvalidError(f"can't join the Ray cluster at {address}: {first_line(error)}") from error

    def _connect(self, **how: Any) -> None:
        """`ray.init`, which neither prints (what ends of itself or is killed it would tell on stdout) nor keeps
        hold of signals and breakpoints."""
        import ray

        worker, utils = ray._private.worker, ray._private.utils
        self._printer, worker.print_to_stdstream = worker.print_to_stdstream, _do_nothing
        self._environment.setdefault("PYTHONBREAKPOINT", os.environ.get("PYTHONBREAKPOINT"))
        handling, utils.set_sigterm_handler = utils.set_sigterm_handler, _do_nothing
        try:
            with deferred():
                ray.init(log_to_driver=False, logging_level=logging.CRITICAL, **how)
        finally:
            utils.set_sigterm_handler = handling

    def _set(self, variables: dict[str, str]) -> None:
        """Set environment variables until `close`. Ray reads them when it is imported, and once more here."""
        variables = {**{name: os.environ.get(name, value) for name, value in _QUIET.items()}, **variables}
        self._environment = {name: os.environ.get(name) for name in variables} | self._environment
        os.environ.update(variables)
        raylet: Any = importlib.import_module("ray._raylet")
        raylet.Config.initialize("")
        raylet.AuthenticationTokenLoader.instance().reset_cache()


def _do_nothing(*_: Any, **__: Any) -> None:
    pass


def _resources(has: dict[str, float]) -> Resources:
    return Resources(has.get("CPU", 0.0), has.get("GPU", 0.0))


def _fitting(node: Resources, need: Resources) -> int:
    """How many workers a node can hold."""
    rooms = []
    if need.cpus:
        rooms.append(int(node.cpus / need.cpus + 1e-9))
    if need.gpus >= 1:
        rooms.append(int(node.gpus / need.gpus + 1e-9))
    elif need.gpus:
        rooms.append(int(node.gpus) * int(1 / need.gpus + 1e-9))
    return min(rooms, default=1)


def _is_connected() -> bool:
    """Whether this program uses Ray already."""
    ray = sys.modules.get("ray")
    return ray is not None and ray.is_initialized()


def _base() -> Path:
    """Where our clusters have their folders: the paths of sockets in them have to stay below 107 bytes."""
    usual = Path(tempfile.gettempdir())
    return usual if len(str(usual)) <= SHORT else Path("/tmp")


def remove_leftovers() -> list[Path]:
    """End what is left of clusters whose run was killed: stray processes, and folders. Returns the latter."""
    found = []
    for folder in _base().glob(f"{PREFIX}*-*"):
        if _is_left_over(folder):
            _remove(folder)
            if not folder.exists():
                found.append(folder)
    return found


def _is_left_over(folder: Path) -> bool:
    """Whether a cluster's folder is no living run's: nobody holds its lock. In the instant before there is a
    lock, the pid in its name tells."""
    try:
        with open(folder / "lock", "rb") as claim:
            fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        pid = folder.name.removeprefix(PREFIX).partition("-")[0]
        return pid.isdigit() and not is_alive(int(pid))
    except OSError:  # held, or another user's
        return False
    return True


def _remove(folder: Path) -> None:
    """Delete a cluster's folder; first end the helpers of Ray that outlive it by some seconds."""
    end_marked(MARK, str(folder))
    for _ in range(20):  # a process that is ending may still write
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            return
        time.sleep(0.1)
