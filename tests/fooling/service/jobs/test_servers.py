"""Several servers on one folder, and servers that come and go: each job is started once, and nothing is left behind."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fooling.errors import FoolingError
from fooling.service.jobs import Jobs, State, launching
from fooling.service.jobs.locks import Process, boot, seize
from fooling.service.jobs.places import Places
from fooling.service.jobs.records import read_record, write
from tests.fooling.service.jobs.tiny_jobs import request, wait

# A job's process that computes nothing: it says when it begins and ends.
WORK = """
import json, os, sys, time
root, id = sys.argv[1:3]
def tell(what):
    with open(root + "/told", "a") as file:
        file.write(f"{what} {id}\\n")
tell("begin")
time.sleep(0.05)
tell("end")
folder = f"{root}/.fooling/jobs/{id}"
state = json.load(open(folder + "/state.json"))
json.dump({**state, "state": "completed", "process": None, "launching": False}, open(folder + "/new", "w"))
os.replace(folder + "/new", folder + "/state.json")
os.unlink(f"{root}/.fooling/live/{id}")
"""


def spawn(places, submission, lock, means):
    command = [sys.executable, "-S", "-c", WORK, str(places.root), submission.id]
    return subprocess.Popen(command, pass_fds=[lock], start_new_session=True)


@pytest.mark.parametrize("running", [1, 3])
def test_no_job_is_computed_twice_and_no_more_at_once_than_may(running, root, monkeypatch):
    """A failure costs a night's work twice over, or the memory of a machine that was to compute one job at a time."""
    monkeypatch.setattr(launching, "_spawn", spawn)
    servers = [Jobs(root, running) for _ in range(4)]
    ids = [servers[number % 4].submit("run", request(seed=number)).id for number in range(12)]
    contexts = [server.supervise() for server in servers]
    for context in contexts:
        context.__enter__()
    ids += [servers[number % 4].submit("run", request(seed=number)).id for number in range(12, 16)]
    wait(lambda: all(servers[0].get(id).state is State.COMPLETED for id in ids))
    for context in contexts:
        context.__exit__(None, None, None)
    told = [line.split() for line in (root / "told").read_text().splitlines()]
    assert sorted(id for what, id in told if what == "begin") == sorted(ids)
    at_once = most = 0
    for what, _ in told:
        at_once += 1 if what == "begin" else -1
        most = max(most, at_once)
    assert most <= running
    if running == 1:
        assert [id for what, id in told if what == "begin"] == ids  # in their order
    for server in servers:
        assert len(server.list(state=State.COMPLETED).items) == 16
        server.close()


def test_fifty_servers_leave_nothing_open(root):
    """A failure costs a program that opens many servers, tests for one, its file descriptors."""

    def once() -> None:
        jobs = Jobs(root, 0)
        with jobs.supervise():
            jobs.list()
        jobs.close()

    once()
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(50):
        once()
    assert len(os.listdir("/proc/self/fd")) <= before


def test_a_full_disk_is_told_and_loses_nothing(root, jobs, monkeypatch):
    """A failure costs a traceback, or a job that is told to be accepted and is not there."""
    first = jobs.submit("run", request(), idempotency_key="first")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        for change in (
            lambda: jobs.submit("run", request(seed=2)),
            lambda: jobs.pause(first.id),
            lambda: jobs.cancel(first.id),
            lambda: jobs.reorder(first.id, None),
        ):
            with pytest.raises(FoolingError, match="No space left"):
                change()
    assert [job.id for job in jobs.list().items] == [first.id]
    assert jobs.get(first.id).state is State.QUEUED
    assert [path.name for path in (root / ".fooling" / "jobs").iterdir()] == [first.id]
    jobs.submit("run", request(seed=2))


def test_no_process_can_be_started(root, jobs, monkeypatch):
    """A failure costs the whole queue, where memory is short for a moment."""
    calls = []

    def fails(*_: object) -> None:
        calls.append(time.monotonic())
        raise OSError(errno.ENOMEM, os.strerror(errno.ENOMEM))

    monkeypatch.setattr(launching, "_spawn", fails)
    ids = [jobs.submit("run", request()).id for _ in range(2)]
    with jobs.supervise():
        wait(lambda: len(calls) > 3, 10)
        wait(lambda: [jobs.get(id).state for id in ids] == [State.QUEUED, State.QUEUED], 10)
        monkeypatch.setattr(launching, "_spawn", spawn)
        wait(lambda: all(jobs.get(id).state is State.COMPLETED for id in ids))
    assert Path(root / "told").read_text().count("begin") == 2


def test_a_job_whose_process_is_still_ending_is_not_overtaken(root, jobs, monkeypatch):
    """A failure costs a job that is resumed its place: the next one, of hours, would begin while the memory of the last
    process is freed."""
    monkeypatch.setattr(launching, "_spawn", spawn)
    first, second = (jobs.submit("run", request()).id for _ in range(2))
    lock = seize(Places(root).job(first).lock)
    assert lock is not None
    with jobs.supervise():
        time.sleep(0.6)
        assert jobs.get(second).state is State.QUEUED
        os.close(lock)
        wait(lambda: jobs.get(second).state is State.COMPLETED)
    assert (root / "told").read_text().split()[1::4] == [first, second]


def test_what_a_hand_deletes_is_made_again(root, jobs, monkeypatch):
    """A failure costs whoever tidies up the queue, or has a second job started beside one that fills the memory."""
    monkeypatch.setattr(launching, "_spawn", spawn)
    first, second = (jobs.submit("run", request()).id for _ in range(2))
    files = Places(root).job(first)
    lock = seize(files.lock)
    assert lock is not None
    write(
        files.record,
        read_record(files).turned(State.RUNNING, process=Process(pid=2**22 - 1, born=1, boot=boot())),
    )
    with jobs.supervise():
        for name in ("trash", "live"):
            shutil.rmtree(root / ".fooling" / name)
        (root / ".fooling" / "index.sqlite").unlink()
        time.sleep(0.8)
        assert [jobs.get(id).state for id in (first, second)] == [State.RUNNING, State.QUEUED]
        write(files.record, read_record(files).turned(State.COMPLETED))
        os.close(lock)
        wait(lambda: jobs.get(second).state is State.COMPLETED)
        jobs.delete(first)
        wait(lambda: [job.id for job in jobs.list().items] == [second], 10)
