"""kill -9 of servers and jobs at random moments, in launches, pauses, cancels and resumes: nothing is lost, nothing is
computed twice, and every run comes to the end that it would have had."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

import fooling
from fooling.service.jobs import ENDED, Job, Jobs, State
from fooling.service.jobs.locks import is_held
from fooling.service.jobs.models import ALIVE
from fooling.service.jobs.places import Places
from fooling.service.jobs.records import read_record
from fooling.service.jobs.recovery import newest_checkpoint
from tests.fooling.service.jobs.tiny_jobs import WITHIN, digests, request, wait
from tests.fooling.service.jobs.warm_jobs import forge

SERVER = """
import sys, time
from pathlib import Path
from fooling.service.jobs import Jobs
from tests.fooling.service.jobs import warm_jobs
warm_jobs.use(sys.argv[2])
with Jobs(Path(sys.argv[1]), running=2).supervise():
    print("ready", flush=True)
    time.sleep(600)
"""
LENGTH = {"search.generations": 150}
AFTER = {  # what was accepted holds, whoever is killed afterwards
    "pause": {State.PAUSING, State.PAUSED, State.COMPLETED},
    "cancel": {State.CANCELLING, State.CANCELLED, State.COMPLETED},
    "resume": set(State) - {State.PAUSING, State.PAUSED, State.CANCELLING, State.CANCELLED, State.FAILED},
    "submit": set(State) - {State.PAUSING, State.PAUSED, State.CANCELLING, State.CANCELLED, State.FAILED},
}


class Storm:
    """A folder in which something is asked for and somebody is killed, again and again."""

    def __init__(self, root: Path, seed: int, forge: Path, forger: int) -> None:
        """Jobs are forked from the process `forger`, which listens at `forge`."""
        self.forge, self.forger = forge, forger
        self.random, self.root, self.places = random.Random(seed), root, Places(root)
        self.jobs = Jobs(root, running=0)
        self.promised: dict[str, str] = {}
        self.server = self._start()

    def _start(self) -> subprocess.Popen[str]:
        server = subprocess.Popen(
            [sys.executable, "-c", SERVER, str(self.root), str(self.forge)], stdout=subprocess.PIPE, text=True
        )
        assert server.stdout is not None
        assert server.stdout.readline() == "ready\n"
        return server

    def blow(self) -> None:
        """Ask for something, and kill somebody."""
        while len(open_jobs := [job for job in self._all() if job.state not in ENDED]) < 2:
            self._promise("submit", self.jobs.submit("run", request(set=LENGTH)).id)
        wait(lambda: any(self._may_be_killed(id) for id in self.promised) or not self._alive(), WITHIN)
        chosen = self.random.choice(open_jobs)
        action = self.random.choice(["launch", "pause", "cancel", "resume", "nothing", "nothing"])
        time.sleep(self.random.uniform(0, 0.5))
        if action == "launch":
            self._promise("submit", self.jobs.submit("run", request(set=LENGTH)).id)
        elif action != "nothing":
            try:
                getattr(self.jobs, action)(chosen.id)
                self._promise(action, chosen.id)
            except fooling.errors.FoolingError:  # it has ended meanwhile
                pass
        time.sleep(self.random.choice([0.0, self.random.uniform(0, 0.3), self.random.uniform(0, 3)]))
        victims = self.random.choice(["server", "job", "both"])
        if victims != "server":
            self._kill_jobs()
        if victims != "job":
            self.server.kill()
            self.server.wait()
            self.server = self._start()
        wait(self._is_right, 2)

    def calm(self) -> list[Job]:
        """Let everything that was not cancelled come to its end."""
        for job in self._all():
            if job.state in (State.PAUSED, State.PAUSING):
                self._promise("resume", job.id)
                self.jobs.resume(job.id)
        wait(lambda: all(job.state in ENDED for job in self._all()), 3 * WITHIN)
        self.server.kill()
        self.server.wait()
        wait(self._is_right, 2)
        return self._all()

    def _promise(self, action: str, id: str) -> None:
        self.promised[id] = action

    def _all(self) -> list[Job]:
        return [self.jobs.get(id) for id in self.promised]

    def _alive(self) -> list[Job]:
        return [job for job in self._all() if job.state in ALIVE]

    def _may_be_killed(self, id: str) -> bool:
        """Whether a job has a process that has got further since its last crash: a second one would be its end."""
        record = read_record(self.places.job(id))
        if record.process is None or record.launching or record.state not in (State.STARTING, State.RUNNING):
            return False
        return record.crashes == 0 or newest_checkpoint(self.jobs.directory(id)) > record.reached

    def _kill_jobs(self) -> None:
        for id in self.promised:
            record = read_record(self.places.job(id))
            if self._may_be_killed(id) and record.process and record.process.is_alive():
                os.kill(record.process.pid, signal.SIGKILL)

    def _is_right(self) -> bool:
        """Whether the states are those of the processes, and what was promised."""
        for job in self._all():
            assert job.state in AFTER[self.promised[job.id]], f"{self.promised[job.id]}: {job}"
        # A look at all processes takes a while: one that was killed and the one that follows it may both be in it.
        holders = {job.id: self._holders(job.id) & self._holders(job.id) for job in self._all()}
        assert all(len(pids) < 2 for pids in holders.values()), f"a job has two processes: {holders}"
        return all(
            (job.state in ALIVE) == is_held(self.places.job(job.id).lock) == bool(holders[job.id])
            for job in self._all()
        )

    def _holders(self, id: str) -> set[int]:
        """The processes that have the lock of a job open, but for those that hand it on to the job's: the server and
        the one that jobs are forked from."""
        lock, found = str(self.places.job(id).lock), set()
        for process in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):  # it has ended meanwhile, or is not ours to look at
                if any(_target(file) == lock for file in (process / "fd").iterdir()):
                    found.add(int(process.name))
        return found - {os.getpid(), self.server.pid, self.forger}


def _target(file: Path) -> str:
    """Where a link leads; "" once it is gone."""
    try:
        return os.readlink(file)
    except OSError:
        return ""


@pytest.mark.parametrize("seed, kills", [(0, 3), pytest.param(1, 40, marks=pytest.mark.slow)])
def test_whoever_is_killed_nothing_is_lost(seed, kills, root, jobs, tmp_path):
    """A failure costs the one promise that comparable programs break: a queue that survives."""
    with forge(tmp_path / "forge") as forger:
        storm = Storm(root, seed, tmp_path / "forge", forger)
        for _ in range(kills):
            storm.blow()
        done = storm.calm()
    fooling.run("mnist-direct", out=tmp_path / "whole", flags={"seed": 0, **request(set=LENGTH)["set"]})
    whole = digests(tmp_path / "whole")
    completed = [job for job in done if job.state is State.COMPLETED]
    assert completed
    for job in completed:
        assert digests(jobs.directory(job.id)) == whole
    assert {job.id for job in jobs.list(limit=1000).items} == set(storm.promised)
