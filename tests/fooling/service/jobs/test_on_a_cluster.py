"""Jobs that compute on the Ray cluster of the server's --address."""

from __future__ import annotations

import os
import signal

import pytest

import fooling
from fooling.service.jobs import Jobs, State
from fooling.service.jobs.places import Places
from fooling.service.jobs.records import read_record
from tests.fooling.service.jobs.tiny_jobs import digests, kill_all, request, wait, wait_for
from tests.ray_clusters import Holder

pytestmark = pytest.mark.xdist_group("runs on ray")


@pytest.mark.slow
def test_a_job_computes_on_two_nodes_and_goes_on_there_after_a_kill(root, tmp_path, monkeypatch):
    """A failure costs the use of a cluster from the service, or leaves a lost job's workers on it."""
    asked = request(set={"search.generations": 150, "run.chunk": 10, "run.checkpoint_seconds": 0.2})
    with Holder() as holder:
        for name, value in holder.environment.items():
            monkeypatch.setenv(name, value)
        holder.add()
        holder.add()
        jobs = Jobs(root, address=holder.address)
        with jobs.supervise():
            id = jobs.submit("run", asked).id
            wait(lambda: jobs.get(id).progress.generation > 20)
            assert len(holder.workers()) == 2
            process = read_record(Places(root).job(id)).process
            assert process is not None
            os.kill(process.pid, signal.SIGKILL)
            wait(lambda: jobs.get(id).state is not State.RUNNING, 2)
            done = wait_for(jobs, id, State.COMPLETED, State.FAILED)
            assert done.state is State.COMPLETED, done.reason
            wait(lambda: not holder.workers(), 60)
        jobs.close()
        kill_all(root)
    fooling.run("mnist-direct", out=tmp_path / "whole", flags={"seed": 0, **asked["set"]})
    assert digests(jobs.directory(id)) == digests(tmp_path / "whole")
