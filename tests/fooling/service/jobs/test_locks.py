"""Locks and processes: who is dead is told from who lives, and nobody else is killed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from fooling.service.jobs.locks import Process, exclusive, is_held, seize
from fooling.service.jobs.models import State
from fooling.service.jobs.places import Places
from fooling.service.jobs.records import Record, Wish
from fooling.service.jobs.recovery import after_death
from tests.fooling.service.jobs.tiny_jobs import wait

SLEEP = [sys.executable, "-S", "-c", "import time; print('up', flush=True); time.sleep(600)"]


def sleeper(**options) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(SLEEP, stdout=subprocess.PIPE, start_new_session=True, **options)
    assert process.stdout is not None
    process.stdout.readline()
    return process


def known(pid: int) -> Process:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return Process(pid=pid, born=int(fields[19]), boot=Process.this().boot)


def test_a_child_holds_the_lock_that_its_parent_took(tmp_path):
    """A failure costs a job that is started twice: there would be a moment in which nobody holds its lock."""
    lock = seize(tmp_path / "lock")
    assert lock is not None
    assert seize(tmp_path / "lock") is None
    child = sleeper(pass_fds=[lock])
    os.close(lock)
    assert is_held(tmp_path / "lock")
    assert seize(tmp_path / "lock") is None
    child.kill()
    child.wait()
    assert not is_held(tmp_path / "lock")
    again = seize(tmp_path / "lock")
    assert again is not None
    os.close(again)
    with exclusive(tmp_path / "lock"):
        assert seize(tmp_path / "lock") is None


def test_a_number_that_was_given_again_is_another_process():
    """A failure kills somebody else's process, or waits for ever for one that is dead."""
    assert Process.this().is_alive()
    child = sleeper()
    process = known(child.pid)
    assert process.is_alive()
    for other in (
        process.model_copy(update={"born": process.born + 1}),
        process.model_copy(update={"boot": "then"}),
    ):
        assert not other.is_alive()
        other.kill()
    assert child.poll() is None
    process.kill()
    wait(lambda: not process.is_alive(), 5)  # a zombie is dead
    child.wait()


def test_what_a_dead_process_left_is_killed():
    """A failure costs memory, and a lock that nobody can take, for processes that a dead job left behind."""
    code = (
        "import subprocess, sys; p = subprocess.Popen([sys.executable, '-S', '-c', 'import time; time.sleep(600)']);"
        "print(p.pid, flush=True); sys.stdin.read()"
    )
    parent = subprocess.Popen(
        [sys.executable, "-S", "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    assert parent.stdout is not None
    left = known(int(parent.stdout.readline()))
    process = known(parent.pid)
    parent.kill()
    parent.wait()
    assert left.is_alive()
    process.kill()
    wait(lambda: not left.is_alive(), 5)


def test_what_counts_as_a_crash(tmp_path):
    """A failure costs long jobs that a machine's restarts would end, or the queue behind one that always dies."""
    files = Places(tmp_path).job("0" * 20)
    dead = Process(pid=2**22 - 1, born=1, boot=Process.this().boot)
    record = Record(state=State.RUNNING, process=dead)

    def dies(record: Record, reached: int, **changes: object) -> Record:
        return after_death(
            record.model_copy(update={"state": State.RUNNING, "process": dead, **changes}),
            Wish.NOTHING,
            reached,
            files,
        )

    once = dies(record, -1)
    assert (once.state, once.first, once.crashes) == (State.QUEUED, True, 1)
    assert dies(once, -1).state is State.FAILED
    further = dies(once, 7)  # it had got further: that is a first crash again
    assert (further.state, further.crashes, further.reached) == (State.QUEUED, 1, 7)
    assert dies(further, 8).state is State.QUEUED
    assert dies(further, 7).state is State.FAILED
    rebooted = dies(once, -1, process=dead.model_copy(update={"boot": "before"}))
    assert (rebooted.state, rebooted.crashes) == (State.QUEUED, 1)
    server_died = dies(once, -1, launching=True)
    assert (server_died.state, server_died.crashes) == (State.QUEUED, 1)
    never_came_up = dies(once, -1, launching=True, process=Process.this())
    assert never_came_up.state is State.FAILED
