"""Exact resume (contracts 5 and 6): whenever a run dies, continuing it gives what it would have given."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch

from fooling.store import checkpoint
from fooling.store.directory import RunDirectory
from tests import warm
from tests.kills import kill_process

RUN = ("--set", "search.generations=80", "--set", "search.population=50", "--set", "run.chunk=25")
SPELLS = {"every generation": "0", "never before the end": "3600", "now and then": "0.05"}


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory, fooling) -> dict[str, Any]:
    result = fooling("run", "--out", tmp_path_factory.mktemp("whole") / "run", "--json", "--quiet", *RUN)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def start(out: Path, environment: dict[str, str], cadence: str) -> warm.Command:
    cadence = f"run.checkpoint_seconds={cadence}"
    return warm.start(["run", "--out", out, "--quiet", *RUN, "--set", cadence], environment)


def wait_for_generation(out: Path, number: int, process: warm.Command) -> None:
    needle = f'"generation": {number}, "evaluations"'.encode()
    for _ in range(20_000):
        events = out / "events.jsonl"
        if process.poll() is not None or (events.exists() and needle in events.read_bytes()):
            return
        time.sleep(0.002)


def assert_same_end(fooling, out: Path, whole: dict[str, Any]) -> None:
    result = fooling("resume", out, "--json", "--quiet")
    assert result.returncode == 0, result.stderr
    summary = json.loads(result.stdout)
    for key in ("archive_sha256", "lineage_sha256", "generations", "evaluations", "replacements", "elites"):
        assert summary[key] == whole[key], key
    assert summary["status"] == "completed"
    log = [json.loads(line) for line in (out / "events.jsonl").read_text().splitlines()]
    generations = [event["generation"] for event in log if event["event"] == "generation"]
    assert generations == list(range(81))  # none lost, none twice


def kill_and_resume(generation: int, cadence: str, tmp_path, environment, fooling, whole) -> None:
    out = tmp_path / "run"
    process = start(out, environment, SPELLS[cadence])
    wait_for_generation(out, generation, process)
    time.sleep(random.Random(generation).random() * 0.01)  # anywhere in the next generation or checkpoint
    kill_process(process)
    if not out.exists():  # killed before there was a directory: the same command again
        assert start(out, environment, SPELLS[cadence]).wait() == 0
    assert_same_end(fooling, out, whole)


@pytest.mark.parametrize(
    ("generation", "cadence"),
    [(5, "every generation"), (23, "now and then")],
)
def test_after_sigkill(generation, cadence, tmp_path, environment, fooling, uninterrupted):
    kill_and_resume(generation, cadence, tmp_path, environment, fooling, uninterrupted)


@pytest.mark.slow
@pytest.mark.parametrize("number", range(20))
def test_after_sigkill_at_twenty_random_moments(number, tmp_path, environment, fooling, uninterrupted):
    generation = random.Random(2015 + number).randrange(0, 40)
    cadence = list(SPELLS)[number % 3]
    kill_and_resume(generation, cadence, tmp_path, environment, fooling, uninterrupted)


def test_killed_before_there_is_a_directory(tmp_path, environment, fooling, uninterrupted):
    """The same command starts again, and what the killed one left behind is cleared away."""
    out = tmp_path / "run"
    process = start(out, environment, "0")
    leftover = tmp_path / f".run.{process.pid}.tmp"
    kill_process(process)
    leftover.mkdir(exist_ok=True)
    assert start(out, environment, "0").wait() == 0
    assert_same_end(fooling, out, uninterrupted)
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_ctrl_c_checkpoints_and_exits_130(number, tmp_path, environment, fooling, uninterrupted):
    out = tmp_path / "run"
    process = start(out, environment, "3600")
    wait_for_generation(out, 7, process)
    assert process.poll() is None, "it ended before it could be interrupted"
    process.send_signal(number)
    assert process.wait(timeout=200) == 130
    saved = checkpoint.saved(out / "checkpoints")
    assert len(saved) == 1
    assert checkpoint.generation_of(saved[0]) >= 7
    shown = json.loads(fooling("show", out, "--json").stdout)
    assert shown["status"] == "interrupted"
    assert all((out / elite["image"]).exists() for elite in shown["elites"])
    assert_same_end(fooling, out, uninterrupted)


@pytest.fixture(scope="module")
def killed(tmp_path_factory, environment) -> Path:
    """A run that was killed with two checkpoints, while it was not writing a third."""
    out = tmp_path_factory.mktemp("killed") / "run"
    process = start(out, environment, "0")
    wait_for_generation(out, 12, process)
    while True:
        os.kill(process.pid, signal.SIGSTOP)
        if process.poll() is not None or not is_checkpointing(out):
            break
        os.kill(process.pid, signal.SIGCONT)
        time.sleep(0.005)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert len(checkpoint.saved(out / "checkpoints")) >= 2  # 3 between writing one and deleting one
    return out


@pytest.fixture
def half_done(killed, tmp_path) -> Path:
    """A copy of it, to be damaged and resumed."""
    return shutil.copytree(killed, tmp_path / "run")


def is_checkpointing(run: Path) -> bool:
    """Whether a checkpoint is begun and not finished, by the log's complete lines."""
    *lines, _ = (run / "events.jsonl").read_text().split("\n")
    events = [json.loads(line)["event"] for line in lines]
    return events.count("checkpointing") > events.count("checkpoint")


def damage(path: Path, how: str) -> None:
    content = bytearray(path.read_bytes())
    if how == "truncated":
        path.write_bytes(content[: len(content) // 2])
    elif how == "bit-flipped":
        content[len(content) // 2] ^= 4
        path.write_bytes(content)
    elif how == "emptied":
        path.write_bytes(b"")
    else:
        path.unlink()


@pytest.mark.parametrize("how", ["truncated", "bit-flipped", "emptied", "missing"])
def test_a_damaged_newest_checkpoint(how, half_done, fooling, uninterrupted, tmp_path):
    """The previous one is used, the user is told, and the end is the same."""
    damage(checkpoint.saved(half_done / "checkpoints")[0], how)
    shown = fooling("show", half_done)
    assert shown.returncode == 0
    assert shown.stderr.count("\n") == 1
    assert "is shown" in shown.stderr
    told = fooling("resume", shutil.copytree(half_done, tmp_path / "copy"), "--quiet")
    assert told.returncode == 0
    assert told.stderr.count("\n") == 1
    assert "going on from generation" in told.stderr
    assert_same_end(fooling, half_done, uninterrupted)


def test_a_checkpoint_that_is_lost_before_the_log_knows_it(half_done, fooling):
    """Killed between the renaming of a checkpoint and the line that says so: its loss is noticed all the same."""
    newest = checkpoint.saved(half_done / "checkpoints")[0]
    generation = checkpoint.generation_of(newest)
    lines = (half_done / "events.jsonl").read_text().splitlines(keepends=True)
    begun = next(
        n for n, line in enumerate(lines) if f'"checkpointing", "generation": {generation}}}' in line
    )
    (half_done / "events.jsonl").write_text("".join(lines[: begun + 1]))
    newest.unlink()
    result = fooling("resume", half_done, "--quiet")
    assert result.returncode == 0
    assert f"{newest.name} is missing, or was never finished" in result.stderr


@pytest.mark.parametrize("how", ["truncated", "bit-flipped", "missing"])
def test_both_checkpoints_damaged(how, half_done, fooling):
    """One line, exit 1, and not a byte of what is left is changed: it may be all that the user has."""
    for path in checkpoint.saved(half_done / "checkpoints"):
        damage(path, how)
    before = {path: path.read_bytes() for path in half_done.rglob("*") if path.is_file()}
    result = fooling("resume", half_done)
    assert result.returncode == 1
    errors = [line for line in result.stderr.splitlines() if line.startswith("error:")]
    assert len(errors) == 1
    assert "checkpoint" in errors[0]
    assert "Traceback" not in result.stderr
    assert {path: path.read_bytes() for path in half_done.rglob("*") if path.is_file()} == before


def test_a_lineage_that_lost_its_end(half_done, fooling):
    """The log knows less than the checkpoint: to go on would leave elites without ancestors."""
    with open(half_done / "lineage", "r+b") as file:
        file.truncate(44)
    before = (half_done / "events.jsonl").read_bytes()
    result = fooling("resume", half_done, "--quiet")
    assert result.returncode == 3
    assert "lineage can't be what this run wrote" in result.stderr
    assert (half_done / "events.jsonl").read_bytes() == before


def edit_numerics(run: Path, **changed: str) -> None:
    """As if the run had begun on another machine."""
    manifest = json.loads((run / "manifest.json").read_text())
    manifest["numerics"].update(changed)
    (run / "manifest.json").write_text(json.dumps(manifest))


def test_another_machine_is_told_of(half_done, fooling, uninterrupted):
    """On the terminal and in the log. A failure costs the reader the one hint at why last bits differ."""
    edit_numerics(half_done, device_model="Abacus 1")
    result = fooling("resume", half_done, "--json", "--quiet")
    assert result.returncode == 0, result.stderr
    (line,) = result.stderr.splitlines()
    assert line.startswith("warning: this part runs on ")
    assert line.endswith(", the run began on Abacus 1: last bits may differ")
    log = [json.loads(line) for line in (half_done / "events.jsonl").read_text().splitlines()]
    assert [e["message"] for e in log if e["event"] == "warning"] == [line.removeprefix("warning: ")]
    assert json.loads(result.stdout)["archive_sha256"] == uninterrupted["archive_sha256"]


def test_the_same_machine_is_no_news(half_done, fooling):
    """A warning that always comes is one that nobody reads."""
    assert fooling("resume", half_done, "--quiet").stderr == ""


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_a_device_that_is_not_here(half_done, fooling):
    """One line, and not a byte is changed: the run is still to be resumed where it can be."""
    edit_numerics(half_done, device="cuda", device_model="Abacus 2")
    before = {path: path.read_bytes() for path in half_done.rglob("*") if path.is_file()}
    result = fooling("resume", half_done, "--quiet")
    assert result.returncode == 3
    (line,) = result.stderr.splitlines()
    assert line.startswith("error: this run computes on cuda (Abacus 2), which torch does not find here")
    assert {path: path.read_bytes() for path in half_done.rglob("*") if path.is_file()} == before


def test_a_disk_that_fills(tmp_path, environment, fooling, uninterrupted):
    """The run fails with one line; the older checkpoint stays, and after making room it goes on."""
    out = tmp_path / "run"
    code = (
        "import resource, sys; from fooling.store import checkpoint as c; from fooling.cli import main\n"
        "whole = c.save\n"
        "def save(folder, point):\n"
        "    if point.counters.generation >= 20:\n"
        "        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))\n"
        "    return whole(folder, point)\n"
        "c.save = save; main()"
    )
    command = [sys.executable, "-c", code, "run", "--out", str(out), "--quiet", *RUN]
    command += ["--set", "run.checkpoint_seconds=0"]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert result.stderr.count("\n") == 1, result.stderr
    assert "File too large" in result.stderr
    assert "generation 19 is kept" in result.stderr
    assert not list((out / "checkpoints").glob(".*"))
    assert_same_end(fooling, out, uninterrupted)


def test_a_completed_run_is_only_read(small_run, fooling, tmp_path):
    out, summary = small_run
    copy = shutil.copytree(out, tmp_path / "copy")
    before = (copy / "events.jsonl").read_bytes()
    result = fooling("resume", copy, "--json")
    assert result.returncode == 0
    assert json.loads(result.stdout)["archive_sha256"] == summary["archive_sha256"]
    assert (copy / "events.jsonl").read_bytes() == before


def test_a_second_writer_is_kept_out(small_run, fooling, tmp_path):
    """Two writers would leave a directory that belongs to neither run."""
    import fcntl

    copy = shutil.copytree(small_run[0], tmp_path / "copy")
    with open(RunDirectory(copy).lock, "rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        result = fooling("resume", copy)
        assert result.returncode == 1
        assert "another process" in result.stderr
        shown = json.loads(fooling("show", copy, "--json").stdout)
    assert shown["status"] == "running"
