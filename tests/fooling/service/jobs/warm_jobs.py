"""Processes of jobs that are there at once: forked from one that has imported all of it (`tests.warm` does so with
commands). Each is a process of its own, in a session of its own, that holds its lock and is killed as any other; that a
server really starts one is tested in `test_processes`.

Run as a script, with the path of a socket, it is the process that is forked.
"""

from __future__ import annotations

import json
import os
import runpy
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fooling.service.jobs import launching


@contextmanager
def forge(path: Path) -> Iterator[int]:
    """A process to fork jobs from, which listens at this path for the time of a block: its number."""
    process = subprocess.Popen([sys.executable, __file__, str(path)], stdout=subprocess.PIPE, text=True)
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        try:
            yield process.pid
        finally:
            process.kill()


def use(path: str) -> None:
    """Start the jobs of this process from there."""

    def spawn(places: Any, submission: Any, lock: int, means: launching.Means) -> Any:
        words = [str(places.root), submission.id, *means.arguments()]
        with socket.socket(socket.AF_UNIX) as client, open(places.job(submission.id).log, "ab") as log:
            client.connect(path)
            socket.send_fds(client, [json.dumps(words).encode()], [lock, log.fileno()])
            assert client.recv(1)
        return _Forked()

    launching._spawn = spawn


class _Forked:
    """Somebody else's child."""

    def poll(self) -> int:
        return 0


def _fork_for_ever(path: str) -> None:
    import fooling.api
    import fooling.service.jobs.process

    assert fooling.api
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody stays as a zombie
    server = socket.socket(socket.AF_UNIX)
    server.bind(path)
    server.listen()
    print("ready", flush=True)
    while True:
        client, _ = server.accept()
        message, files, _, _ = socket.recv_fds(client, 2**16, 2)
        if os.fork() == 0:
            server.close()
            lock, log = files
            _be(json.loads(message), lock, log, client)
        for file in files:
            os.close(file)
        client.close()


def _be(words: list[str], lock: int, log: int, client: socket.socket) -> None:
    """Become the process of a job."""
    os.setsid()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((nothing, 0), (log, 1), (log, 2)):
        os.dup2(source, target)
    client.send(b"1")
    client.close()
    sys.argv = ["process", *words, "--lock", str(lock)]
    try:
        runpy.run_module("fooling.service.jobs.process", run_name="__main__", alter_sys=True)
    finally:
        os._exit(1)


if __name__ == "__main__":
    _fork_for_ever(sys.argv[1])
