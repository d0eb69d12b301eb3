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
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

from fooling.errors import FoolingError, InvalidError
from workers.protocol import Interrupted

PREFIX = "fooling-ray-"  # of the folders that our clusters keep their sockets and logs in
MARK = "FOOLING_RAY_FOLDER"  # in the environment of their processes
SHORT = 10  # characters of a folder for temporary files in which Ray's sockets can live
PROBE_SECONDS = 15.0
_TOKEN_FILE = Path.home() / ".ray" / "auth_token"  # where Ray itself looks
_QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",
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
                self._join(_found(address))
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
        with _undisturbed():
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
            raise FoolingError(f"can't start Ray on this machine: {_line(error)}") from error

    def _join(self, address: str) -> None:
        if "RAY_AUTH_TOKEN" in os.environ or "RAY_AUTH_TOKEN_PATH" in os.environ or _TOKEN_FILE.exists():
            self._set({"RAY_AUTH_MODE": os.environ.get("RAY_AUTH_MODE", "token")})
        else:
            self._set({})
        _probe(address)
        try:
            self._connect(address=address)
        except Exception as error:
            raise InvalidError(f"can't join the Ray cluster at {address}: {_line(error)}") from error

    def _connect(self, **how: Any) -> None:
        """`ray.init`, which neither prints (what ends of itself or is killed it would tell on stdout) nor keeps
        hold of signals and breakpoints."""
        import ray

        worker, utils = ray._private.worker, ray._private.utils
        self._printer, worker.print_to_stdstream = worker.print_to_stdstream, _do_nothing
        self._environment.setdefault("PYTHONBREAKPOINT", os.environ.get("PYTHONBREAKPOINT"))
        handling, utils.set_sigterm_handler = utils.set_sigterm_handler, _do_nothing
        try:
            with _deferred():
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
        return pid.isdigit() and not _is_alive(int(pid))
    except OSError:  # held, or another user's
        return False
    return True


def _remove(folder: Path) -> None:
    """Delete a cluster's folder; first end the helpers of Ray that outlive it by some seconds."""
    mark = f"{MARK}={folder}".encode()
    for environment in Path("/proc").glob("[0-9]*/environ"):
        pid = int(environment.parent.name)
        try:
            ours = pid != os.getpid() and mark in environment.read_bytes().split(b"\0")
        except OSError:  # another user's, or gone
            continue
        if ours:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
    for _ in range(20):  # a process that is ending may still write
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            return
        time.sleep(0.1)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _found(address: str) -> str:
    """HOST:PORT of an address, where something answers.

    Raises:
        InvalidError: nothing does, or it is no such address.
    """
    if address == "auto":
        import ray._private.services as services

        addresses = services.find_gcs_addresses()
        if len(addresses) != 1:
            found = ", ".join(sorted(addresses)) or "none"
            raise InvalidError(
                f"--address auto: expected one Ray cluster on this machine, found {found}; give HOST:PORT"
            )
        return addresses.pop()
    host, _, port = address.rpartition(":")
    if not re.fullmatch("[0-9]{1,5}", port) or not 0 < int(port) < 2**16 or not host or "/" in host:
        raise InvalidError(f"--address {address}: expected HOST:PORT of a Ray head node, like 10.0.0.1:6379")
    try:
        socket.create_connection((host, int(port)), 5).close()
    except (OSError, UnicodeError) as error:  # the latter: no such name can be looked up
        reason = getattr(error, "strerror", None) or _line(error)
        raise InvalidError(
            f"no Ray cluster at {address}: {reason}; start one with: ray start --head"
        ) from None
    return address


# What Ray says in its own words, and what it means.
_MEANINGS = (
    (
        ("InvalidAuthToken", "Unauthenticated", "no authentication token was found"),
        "the token does not match; give the cluster's (RAY_AUTH_MODE=token and RAY_AUTH_TOKEN, "
        "RAY_AUTH_TOKEN_PATH or ~/.ray/auth_token; docs/cluster.md)",
    ),
    (("TimedOut", "Failed to connect to GCS"), "what answers there is no Ray head node"),
)
_PROBE = """
import sys, ray
try:
    ray.init(address=sys.argv[1], log_to_driver=False)
except BaseException as error:
    print("PROBE", " ".join(str(error).split()), file=sys.stderr, flush=True)
else:
    print("PROBE ok", file=sys.stderr, flush=True)
"""


def _probe(address: str) -> None:
    """Join and leave a cluster in a process of its own: where it can't be joined, Ray tries for up to two
    minutes, says why only on its stderr, and then ends the process.

    Raises:
        InvalidError: it can't be joined; the message says why.
    """
    command = [sys.executable, "-c", _PROBE, address]
    deadline = time.monotonic() + PROBE_SECONDS
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL) as process:
        assert process.stderr is not None
        os.set_blocking(process.stderr.fileno(), False)
        said = ""
        try:
            while time.monotonic() < deadline:
                said += (process.stderr.read() or b"").decode(errors="replace")
                if "PROBE ok" in said:
                    return
                if reason := meaning(said):
                    raise InvalidError(f"can't join the Ray cluster at {address}: {reason}")
                if process.poll() is not None:
                    break
                time.sleep(0.05)
        finally:
            process.kill()
    raise InvalidError(f"can't join the Ray cluster at {address}: no answer within {PROBE_SECONDS:.0f} s")


def meaning(said: str) -> str | None:
    """Why Ray could not join, from what it printed; None where it has not given up."""
    for signs, reason in _MEANINGS:
        if any(sign in said for sign in signs):
            return reason
    _, given_up, error = said.partition("PROBE ")
    if not given_up:
        return None
    if "ersion mismatch" in error:
        return (
            "its versions of Ray or Python are not the ones here; install the same on all machines: "
            f"{error.strip()[:300]}"
        )
    return error.strip()[:300]


@contextmanager
def interruptible(stopping: threading.Event) -> Iterator[None]:
    """In this block SIGINT and SIGTERM are a KeyboardInterrupt, so that what was begun is undone, and set
    `stopping`: an exception that is raised inside of a destructor or callback is lost."""

    def interrupt(number: int, frame: Any) -> None:
        stopping.set()
        raise KeyboardInterrupt

    with _handling(interrupt, signal.SIGINT, signal.SIGTERM):
        try:
            yield
        except Interrupted:
            raise KeyboardInterrupt from None


@contextmanager
def _deferred() -> Iterator[None]:
    """Signals are handled after this block, in which Ray sets handlers of its own; those are undone."""
    came: list[int] = []
    try:
        with _handling(lambda number, frame: came.append(number), signal.SIGINT, signal.SIGTERM):
            yield
    finally:
        if came:
            signal.raise_signal(came[0])


def _undisturbed() -> AbstractContextManager[None]:
    """An impatient second Ctrl-C must not leave processes behind."""
    return _handling(signal.SIG_IGN, signal.SIGINT, signal.SIGTERM)


@contextmanager
def _handling(handler: Any, *numbers: signal.Signals) -> Iterator[None]:
    """Signals are handled like this inside the block; in the main thread, which gets them."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, handler) for number in numbers}
    try:
        yield
    finally:
        for number, handler_before in before.items():
            if handler_before is not None:  # one of Python's, not of a library in C
                signal.signal(number, handler_before)


def _line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
