"""Signals while a run's results are written. A failure costs a scheduler's patience, after which it kills; or reports
a run as crashed that only has to be resumed."""

from __future__ import annotations

import fcntl
import json
import os
import select
import signal
import subprocess
import sys
import termios
import time
from pathlib import Path
from typing import Any

import pytest

# Writing takes for ever, as that of very many images nearly does.
PROGRAM = """
import importlib, pathlib, sys, time
room, name = sys.argv.pop(1).split(":")
def slow(*arguments):
    pathlib.Path("writing").touch()
    while True:
        time.sleep(0.01)
setattr(importlib.import_module(room), name, slow)
from fooling.cli import main
main()
"""
SMALL = ("run", "mnist-direct", "--out", "run", "--quiet", "--set", "search.generations=3")


def started(what: str, folder: Path, environment: dict[str, str], **how: Any) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, what, *SMALL],
        cwd=folder,
        env={**environment, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        stderr=subprocess.PIPE,
        text=True,
        **how,
    )


def wait_for(path: Path, process: subprocess.Popen[str]) -> None:
    while not path.exists():
        assert process.poll() is None, "it ended before there was anything to interrupt"
        time.sleep(0.01)


@pytest.mark.parametrize(
    ("what", "number"),
    [
        ("fooling.runs.engine:sync_elites", signal.SIGTERM),
        ("fooling.runs.underway:sync_elites", signal.SIGHUP),
        ("fooling.api:write_gallery", signal.SIGINT),
    ],
    ids=["the PNGs of a checkpoint", "the PNGs of the end", "the gallery"],
)
def test_a_signal_ends_the_writing(
    what: str, number: int, tmp_path: Path, environment: Any, fooling: Any
) -> None:
    with started(what, tmp_path, environment) as process:
        wait_for(tmp_path / "writing", process)
        assert process.poll() is None
        process.send_signal(number)
        began = time.monotonic()
        _, said = process.communicate(timeout=60)
    assert time.monotonic() - began < 6  # 1.5 s for results, and the end of the process on a busy machine
    assert process.returncode == 130
    assert said == "interrupted; continue with: fooling resume run\n"
    result = fooling("resume", "run", "--json", "--quiet", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)["status"] == "completed"
    assert len(list((tmp_path / "run" / "elites").iterdir())) == 10
    assert (tmp_path / "run" / "gallery.html").exists()


def test_a_second_signal_ends_the_process_at_once(tmp_path: Path, environment: Any) -> None:
    with started("fooling.api:write_gallery", tmp_path, environment) as process:
        wait_for(tmp_path / "writing", process)
        for number in (signal.SIGHUP, signal.SIGTERM):
            assert process.poll() is None
            process.send_signal(number)
            time.sleep(0.05)
        process.communicate(timeout=60)
    assert process.returncode in (-signal.SIGTERM, 130)


def test_nohup_is_obeyed(tmp_path: Path, environment: Any) -> None:
    """A run that was started to outlive its terminal would end with it."""
    ignore = {"preexec_fn": lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN)}
    with started("fooling.api:write_gallery", tmp_path, environment, **ignore) as process:
        wait_for(tmp_path / "writing", process)
        process.send_signal(signal.SIGHUP)
        time.sleep(0.5)
        assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
    assert process.returncode == 130


def test_a_terminal_that_is_closed_ends_the_run_with_its_checkpoint(
    tmp_path: Path, environment: Any, fooling: Any
) -> None:
    """Whoever closes the window of a long run would lose what came since its last checkpoint: the terminal takes no
    progress any more, and sends SIGHUP."""
    master, slave = os.openpty()

    def attach() -> None:
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    command = [sys.executable, "-m", "fooling", "run", "mnist-direct", "--out", str(tmp_path / "run")]
    command += ["--set", "search.generations=1000000", "--set", "run.checkpoint_seconds=3600"]
    process = subprocess.Popen(
        command,
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env=environment,
        start_new_session=True,
        preexec_fn=attach,
    )
    os.close(slave)
    log = tmp_path / "run" / "events.jsonl"
    while not (log.exists() and log.read_bytes().count(b"generation") > 20):
        assert process.poll() is None
        if select.select([master], [], [], 0.01)[0]:
            os.read(master, 4096)
    os.close(master)
    assert process.wait(120) == 130
    found = json.loads(fooling("show", tmp_path / "run", "--json").stdout)
    assert found["status"] == "interrupted"
    assert found["generations"] > 5
