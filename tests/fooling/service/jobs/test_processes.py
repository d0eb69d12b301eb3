"""Jobs as processes of their own: they compute, obey, outlive their server, and go on after a kill."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import fooling
from fooling.service.jobs import ConflictError, State
from fooling.service.jobs.places import Places
from fooling.service.jobs.records import read_record
from tests.fooling.service.jobs.tiny_jobs import ENDLESS, digests, request, wait, wait_for

SERVER = """
import sys, time
from pathlib import Path
from fooling.service.jobs import Jobs
with Jobs(Path(sys.argv[1])).supervise():
    print("ready", flush=True)
    time.sleep(600)
"""


def process_of(root: Path, id: str) -> int:
    """The process number of a job."""
    record = read_record(Places(root).job(id))
    assert record.process is not None
    assert not record.launching
    return record.process.pid


def server(root: Path) -> subprocess.Popen[str]:
    """A server without HTTP, ready."""
    process = subprocess.Popen([sys.executable, "-c", SERVER, str(root)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def test_a_run_is_that_of_the_command_line(root, jobs, tmp_path):
    """A failure costs trust in every run over HTTP: it would not be the run that the same settings give elsewhere."""
    with jobs.supervise():
        job = jobs.submit("run", request(seed=3), label="mine")
        assert job.state in (State.QUEUED, State.STARTING)
        done = wait_for(jobs, job.id, State.COMPLETED)
    assert (done.progress.generation, done.progress.planned) == (4, 100)
    assert done.progress.evaluations == 100
    assert (done.label, done.seed, done.classes) == ("mine", 3, 10)
    assert done.started is not None
    assert done.ended is not None
    assert done.created <= done.started <= done.ended
    flags = {"seed": 3, **request()["set"]}
    fooling.run("mnist-direct", out=tmp_path / "whole", flags=flags)
    assert digests(jobs.directory(job.id)) == digests(tmp_path / "whole")


@pytest.mark.slow
def test_a_job_is_paused_resumed_and_cancelled(root, jobs):
    """A failure costs the memory of a job that should wait, or one that can't be stopped."""
    with jobs.supervise():
        id = jobs.submit("run", request(set=ENDLESS)).id
        wait(lambda: jobs.get(id).progress.generation > 3)
        pid = process_of(root, id)
        assert jobs.pause(id).state in (State.PAUSING, State.PAUSED)
        paused = wait_for(jobs, id, State.PAUSED)
        wait(lambda: not Path(f"/proc/{pid}").exists(), 5)  # no process, no memory, no zombie
        assert paused.progress.generation > 3
        time.sleep(0.6)
        assert jobs.get(id) == paused
        jobs.resume(id)
        assert wait_for(jobs, id, State.RUNNING).progress.generation >= paused.progress.generation
        wait(lambda: jobs.get(id).progress.generation > paused.progress.generation)
        with pytest.raises(ConflictError):
            jobs.delete(id)
        jobs.cancel(id)
        wait_for(jobs, id, State.CANCELLED)
        directory = jobs.directory(id)
        assert directory.exists()
        jobs.delete(id)
        assert not directory.exists()
    assert jobs.list().items == []


def test_a_job_outlives_its_server_and_goes_on_after_a_kill(root, jobs, tmp_path):
    """A failure costs hours of computing whenever a server is restarted, or a process is killed for its memory."""
    long = request(set={"search.generations": 400, "run.checkpoint_seconds": 0.1})
    first = server(root)
    id = jobs.submit("run", long).id
    wait(lambda: jobs.get(id).progress.generation > 3)
    pid = process_of(root, id)
    first.kill()
    first.wait()
    reached = jobs.get(id).progress.generation
    wait(lambda: jobs.get(id).progress.generation > reached)
    assert process_of(root, id) == pid  # the same process, without any server
    with jobs.supervise():
        os.kill(pid, signal.SIGKILL)
        wait(lambda: jobs.get(id).state is not State.RUNNING, 2)  # noticed within two seconds
        wait(lambda: jobs.get(id).state is State.RUNNING and process_of(root, id) != pid)
        wait_for(jobs, id, State.COMPLETED)
    fooling.run("mnist-direct", out=tmp_path / "whole", flags={"seed": 0, **long["set"]})
    assert digests(jobs.directory(id)) == digests(tmp_path / "whole")


@pytest.mark.slow
def test_a_job_of_a_machine_that_stops_goes_on_when_it_is_up_again(root, jobs):
    """A failure costs what was computed since the last checkpoint, or a start by hand, at each update of the system."""
    with jobs.supervise():
        id = jobs.submit("run", request(set=ENDLESS | {"run.checkpoint_seconds": 3600})).id
        wait(lambda: jobs.get(id).progress.generation > 3)
    os.kill(process_of(root, id), signal.SIGTERM)
    stopped = wait_for(jobs, id, State.QUEUED)
    assert stopped.progress.generation > 3
    other = jobs.submit("run", request())
    assert jobs.get(id).position == 1
    with jobs.supervise():
        wait_for(jobs, id, State.RUNNING)
        wait(lambda: jobs.get(id).progress.generation > stopped.progress.generation)
        assert jobs.get(other.id).state is State.QUEUED
        jobs.cancel(id)
        wait_for(jobs, id, State.CANCELLED)


@pytest.mark.slow
def test_a_job_that_dies_twice_has_failed_and_the_queue_goes_on(root, jobs, tmp_path, monkeypatch):
    """A failure costs the whole queue: it would stand behind a job that kills its process for ever."""
    (tmp_path / "deadly.py").write_text(
        "import os, sys\nif os.environ.get('DEADLY_SEED'):\n"
        "    sys.stderr.write('out of everything\\n'); sys.stderr.flush(); os.kill(os.getpid(), 9)\n"
    )
    (tmp_path / "sitecustomize.py").write_text(
        "import sys\nif 'fooling.service.jobs.process' in sys.orig_argv:\n"
        "    import json, pathlib\n"
        "    root, id = pathlib.Path(sys.orig_argv[4]), sys.orig_argv[5]\n"
        "    if json.loads((root / '.fooling/jobs' / id / 'job.json').read_text())['label'] == 'deadly':\n"
        "        import os; os.environ['DEADLY_SEED'] = '1'; import deadly\n"
    )
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
    with jobs.supervise():
        id = jobs.submit("run", request(), label="deadly").id
        after = jobs.submit("run", request()).id
        failed = wait_for(jobs, id, State.FAILED)
        assert "2 times" in failed.reason
        assert "out of everything" in failed.reason
        wait_for(jobs, after, State.COMPLETED)


@pytest.mark.slow
def test_an_error_is_told(root, jobs):
    """A failure costs whoever waits for a job the reason why it is not computed."""
    job = jobs.submit("run", {**request(), "model": "file:nowhere.toml"})
    with jobs.supervise():
        failed = wait_for(jobs, job.id, State.FAILED)
    assert "nowhere.toml" in failed.reason
    assert str(root) not in failed.reason
    assert jobs.resume(job.id).state is State.QUEUED
