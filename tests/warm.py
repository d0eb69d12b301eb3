"""The command line in a process of its own that is there at once: forked from one that has imported all of it.

A third of the tests' time would be imports of torch and numba, once for each of hundreds of commands. What is forked has
run nothing yet: it has one thread, no random state that is used, and no environment but that of the command. Commands
that import by themselves are tested where imports matter: `--help`, the wheel, the docs.

Run as a script, it is the process that is forked: for each message on its socket (see `Server.start`) it forks a
process that waits, and that one the command.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import gc
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

ROOT = Path(__file__).resolve().parent.parent
# What is read when a command runs. All else in an environment may have been read at an import.
OBEYED_LATE = ("FOOLING", "COLUMNS", "RAY_", "PYTEST_")


class Process:
    """A command under way: of `subprocess.Popen`, what tests use. Output is in files."""

    def __init__(self, args: list[str], reply: socket.socket, output: tuple[IO[str], IO[str]]) -> None:
        self.args = args
        self.returncode: int | None = None
        self._reply = reply.makefile("r")
        self._output = output
        self.pid = int(self._reply.readline())

    def __enter__(self) -> Process:
        return self

    def __exit__(self, *_: Any) -> None:
        self.wait()

    def poll(self) -> int | None:
        """The exit status, negative for a signal; None while it runs."""
        if self.returncode is None and select.select([self._reply], [], [], 0)[0]:
            self.wait()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        if self.returncode is None:
            if not select.select([self._reply], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired(self.args, timeout or 0)
            self.returncode = int(self._reply.readline())
            self._reply.close()
        return self.returncode

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """All that it wrote, once it has ended."""
        self.wait(timeout)
        for file in self._output:
            file.seek(0)
        out, said = (file.read() for file in self._output)
        return out, said

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


Command = Process | subprocess.Popen[str]


class Server:
    """The process that is forked; it ends with this one."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        path = os.pathsep.join(filter(None, [str(ROOT), environment.get("PYTHONPATH")]))
        with theirs:
            subprocess.Popen(
                [sys.executable, __file__, str(theirs.fileno())],
                env={**environment, "PYTHONPATH": path},
                cwd=ROOT,
                pass_fds=[theirs.fileno()],
            )

    def start(self, arguments: list[str], environment: Mapping[str, str], cwd: Path | None = None) -> Process:
        ours, theirs = socket.socketpair()
        output = tempfile.TemporaryFile("w+"), tempfile.TemporaryFile("w+")
        message = {"arguments": arguments, "environment": dict(environment), "cwd": str(cwd or Path.cwd())}
        with theirs, open(os.devnull) as nothing:
            files = [nothing.fileno(), *(file.fileno() for file in output), theirs.fileno()]
            socket.send_fds(self._socket, [json.dumps(message).encode()], files)
        return Process(["fooling", *arguments], ours, output)


@functools.cache
def _server(environment: tuple[tuple[str, str], ...]) -> Server:
    return Server(dict(environment))


def start(arguments: Sequence[Any], environment: Mapping[str, str], cwd: Path | None = None) -> Command:
    """The command `fooling` with these arguments, under way: forked where that is the same."""
    words = list(map(str, arguments))
    base = {name: value for name, value in environment.items() if not name.startswith(OBEYED_LATE)}
    if all(os.environ.get(name) == value for name, value in base.items() if name != "OMP_NUM_THREADS"):
        return _server(tuple(sorted(base.items()))).start(words, environment, cwd)
    return subprocess.Popen(
        [sys.executable, "-m", "fooling", *words],
        env=environment,
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _serve(control: socket.socket) -> None:
    """Fork for each message; returns in the process that is to be the command."""
    while True:
        text, files, *_ = socket.recv_fds(control, 2**20, 4)
        if not text:
            os._exit(0)
        if os.fork() == 0:
            break
        for file in files:
            os.close(file)
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
    control.close()
    *standard, reply = files
    command = os.fork()
    if command:
        os.write(reply, b"%d\n" % command)
        status = os.waitstatus_to_exitcode(os.waitpid(command, 0)[1])
        with contextlib.suppress(BrokenPipeError):
            os.write(reply, b"%d\n" % status)
        os._exit(0)
    os.close(reply)
    for number, file in enumerate(standard):
        os.dup2(file, number)
        os.close(file)
    message = json.loads(text)
    os.environ.clear()
    os.environ.update(message["environment"])
    os.chdir(message["cwd"])
    sys.path[0] = message["cwd"]
    sys.argv = ["fooling", *message["arguments"]]


def main() -> None:
    import jinja2  # noqa: F401
    import scipy.stats  # noqa: F401

    import fooling.api
    import fooling.cli.app
    import fooling.runs.launch
    import fooling.studies  # noqa: F401
    from cppn.population import empty
    from cppn.variation.validity import check

    check(empty(1))  # numba imports most of itself at the first call of a compiled function
    gc.collect()
    gc.freeze()
    _serve(socket.socket(fileno=int(sys.argv[1])))
    os._exit(_ended(lambda: runpy.run_module("fooling", run_name="__main__", alter_sys=True)))


def _ended(run: Callable[[], object]) -> int:
    """Run, and end as an interpreter does but for taking itself apart, which costs more than most commands."""
    status = 0
    try:
        run()
    except SystemExit as error:
        status = error.code if isinstance(error.code, int) else int(error.code is not None)
    except BaseException:
        sys.excepthook(*sys.exc_info())
        status = 1
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    return status


if __name__ == "__main__":
    main()
