"""The Ray cluster of a run: one that is started for the run on this machine, or one that was there before.

A cluster that is started here is private (it has a token of its own, which no file holds) and leaves nothing
behind: its processes end with this process, and its folder is deleted at the end or, after a SIGKILL, by the
next start of a cluster or by `fooling doctor`. A cluster that was there before is only joined and left.
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

from fooling.errors import FoolingError, InvalidError, first_line
from workers.discovery import probe, resolve_address
from workers.processes import is_alive, kill_marked
from workers.signals import deferring_signals, ignoring_signals

PREFIX = "fooling-ray-"  # of the names of the folders for the sockets and logs of our clusters
MARK = "FOOLING_RAY_FOLDER"  # the environment variable that the processes of our clusters have
SHORT = 10  # the most characters that the path of the temporary folder may have, so that Ray's sockets fit
_TOKEN_FILE = Path(os.path.expanduser("~/.ray/auth_token"))  # where Ray itself looks; there may be no home
_DEFAULTS = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",
    "RAY_worker_niceness": "0",  # workers have the priority of the local executor
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # devices are named by the run
}


@dataclass(frozen=True)
class Resources:
    """What a cluster has, or what a worker needs: numbers of CPU cores and GPUs, which may be fractions."""

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
    """A connection to a Ray cluster, and a context manager that leaves the cluster at its end."""

    def __init__(self, address: str | None, cores: int, store_bytes: int) -> None:
        """
        Args:
            address: HOST:PORT of a cluster, or "auto" for the one on this machine; None starts a cluster.
            cores: how many CPU cores a started cluster has: what its workers need, even on a smaller machine.
            store_bytes: the size of the object store of a started cluster.

        Raises:
            InvalidError: there is no cluster at the address, or its token or version does not match.
            FoolingError: Ray can't be started.
        """
        self.address = address
        self._folder: Path | None = None
        self._lock: BinaryIO | None = None
        self._printer: Any = None  # Ray's function for output, while it is replaced
        self._environment: dict[str, str | None] = {}  # what variables were before they were set
        self._connects = not _is_connected()  # a program that uses Ray already keeps its connection
        if not self._connects:
            return
        try:
            if address is None:
                self._start(cores, store_bytes)
            else:
                self._join(resolve_address(address))
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
        """Whether the cluster was started here, for this run."""
        return self._folder is not None

    @property
    def total(self) -> Resources:
        """The resources of all living nodes together."""
        import ray

        return _resources(ray.cluster_resources())

    @property
    def free(self) -> Resources:
        """The resources of the living nodes that nobody uses."""
        import ray

        return _resources(ray.available_resources())

    def room(self, need: Resources) -> int:
        """How many workers the living nodes could hold if they were idle. A worker has to fit on one node,
        and its share of a GPU on one GPU."""
        import ray

        nodes = (_resources(node["Resources"]) for node in ray.nodes() if node["Alive"])
        return sum(_room_on(node, need) for node in nodes)

    def close(self) -> None:
        """Leave the cluster. One that was started here is stopped, and its folder is deleted. A second call
        does nothing."""
        if not self._connects:
            return
        with ignoring_signals():
            if self._printer is not None:
                import ray

                ray.shutdown()
                ray._private.worker.print_to_stdstream = self._printer
                self._printer = None
            if self._folder is not None:
                _remove(self._folder)
                self._folder = None
            if self._lock is not None:
                self._lock.close()
                self._lock = None
        for name, value in self._environment.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        self._environment = {}

    def _start(self, cores: int, store_bytes: int) -> None:
        remove_leftovers()
        self._set_environment({})
        try:
            folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-", dir=_parent_folder()))
            self._folder, self._lock = folder, open(folder / "lock", "wb")
        except OSError as error:
            raise FoolingError(
                f"can't start Ray: no folder in {_parent_folder()}: {error.strerror}"
            ) from None
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        # The processes of the cluster inherit these. The token keeps others out of the ports that Ray opens.
        token = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
        self._set_environment({MARK: str(folder), **token})
        try:
            self._connect(
                address="local",  # overrides RAY_ADDRESS and other clusters of this machine
                num_cpus=cores,
                object_store_memory=store_bytes,
                include_dashboard=False,
                _temp_dir=str(folder / "r"),  # a folder of its own, since Ray opens it to everybody
            )
        except Exception as error:
            raise FoolingError(f"can't start Ray on this machine: {first_line(error)}") from error

    def _join(self, address: str) -> None:
        if "RAY_AUTH_TOKEN" in os.environ or "RAY_AUTH_TOKEN_PATH" in os.environ or _TOKEN_FILE.exists():
            self._set_environment({"RAY_AUTH_MODE": os.environ.get("RAY_AUTH_MODE", "token")})
        else:
            self._set_environment({})
        probe(address)
        try:
            self._connect(address=address)
        except Exception as error:
            raise InvalidError(f"can't join the Ray cluster at {address}: {first_line(error)}") from error

    def _connect(self, **how: Any) -> None:
        """Call `ray.init`, but keep it from printing (it would say on stdout which processes end or are
        killed), and from handling signals and breakpoints."""
        import ray

        worker, utils = ray._private.worker, ray._private.utils
        self._printer, worker.print_to_stdstream = worker.print_to_stdstream, _do_nothing
        self._environment.setdefault("PYTHONBREAKPOINT", os.environ.get("PYTHONBREAKPOINT"))
        handling, utils.set_sigterm_handler = utils.set_sigterm_handler, _do_nothing
        try:
            with deferring_signals():
                ray.init(log_to_driver=False, logging_level=logging.CRITICAL, **how)
        finally:
            utils.set_sigterm_handler = handling

    def _set_environment(self, variables: dict[str, str]) -> None:
        """Set environment variables until `close`, and those of `_DEFAULTS` that the user has not set. Ray
        reads them when it is imported; here it is made to read them again."""
        variables = {**{name: os.environ.get(name, value) for name, value in _DEFAULTS.items()}, **variables}
        self._environment = {name: os.environ.get(name) for name in variables} | self._environment
        os.environ.update(variables)
        raylet: Any = importlib.import_module("ray._raylet")
        raylet.Config.initialize("")
        raylet.AuthenticationTokenLoader.instance().reset_cache()


def _do_nothing(*_: Any, **__: Any) -> None:
    pass


def _resources(has: dict[str, float]) -> Resources:
    return Resources(has.get("CPU", 0.0), has.get("GPU", 0.0))


def _room_on(node: Resources, need: Resources) -> int:
    """How many workers one node can hold."""
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


def _parent_folder() -> Path:
    """The folder in which our clusters have their folders. Its path is short, because the path of a socket
    may have at most 107 bytes."""
    usual = Path(tempfile.gettempdir())
    return usual if len(str(usual)) <= SHORT else Path("/tmp")


def remove_leftovers() -> list[Path]:
    """Kill the processes and delete the folders of clusters whose run was killed. Returns the deleted
    folders."""
    removed = []
    for folder in _parent_folder().glob(f"{PREFIX}*-*"):
        if _is_left_over(folder):
            _remove(folder)
            if not folder.exists():
                removed.append(folder)
    return removed


def _is_left_over(folder: Path) -> bool:
    """Whether the folder of a cluster belongs to no living run: nobody holds its lock. In the instant before
    there is a lock, the pid in the name of the folder decides."""
    try:
        with open(folder / "lock", "rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        pid = folder.name.removeprefix(PREFIX).partition("-")[0]
        return pid.isdigit() and not is_alive(int(pid))
    except OSError:  # the lock is held, or another user's
        return False
    return True


def _remove(folder: Path) -> None:
    """Delete the folder of a cluster, after killing the helper processes of Ray, which outlive it by some
    seconds."""
    kill_marked(MARK, str(folder))
    for _ in range(20):  # a process that is ending may still write files
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            return
        time.sleep(0.1)
