"""kill -9 at any moment: of a server between any two changes on the disk; of servers and jobs at random."""

from __future__ import annotations

import itertools
import os
import sys
from functools import partial

import pytest

from fooling.errors import NotFoundError
from fooling.service.jobs import ENDED, Jobs, State, process
from fooling.service.jobs.locks import Process, boot, exclusive
from fooling.service.jobs.models import ALIVE
from fooling.service.jobs.places import Places, id_of, is_id
from fooling.service.jobs.records import Wish, ask, read_record, write
from fooling.service.jobs.recovery import enter
from fooling.service.jobs.work import Outcome
from tests.fooling.service.jobs.dying import killed_at
from tests.fooling.service.jobs.foreign_runs import make_run
from tests.fooling.service.jobs.tiny_jobs import request

GONE = Process(pid=2**22 - 1, born=1, boot=boot())


def put(jobs: Jobs, id: str, state: State, wish: Wish = Wish.NOTHING) -> None:
    """Write where a job is, as if a process had died there."""
    files = Places(jobs._places.root).job(id)
    dead = {"process": GONE} if state in ALIVE else {}
    write(files.record, read_record(files).turned(state, **dead))
    if state in ALIVE:
        enter(jobs._places, id)
    if wish is not Wish.NOTHING:
        ask(files, wish)


def ticked(jobs: Jobs) -> None:
    with exclusive(jobs._places.mutex):
        pass
    jobs._supervisor.running = 1
    jobs._supervisor.tick()


@pytest.mark.parametrize("wish", [Wish.NOTHING, Wish.PAUSE, Wish.CANCEL])
@pytest.mark.parametrize("state", [State.COMPLETED, State.RUNNING])
def test_a_job_is_killed_between_any_two_changes_of_its_state(state, wish, tmp_path, monkeypatch):
    """A failure costs a job that is never started again, or one that is told to be done while it is not."""

    def compute(places, submission, means, stop, begun):
        begun()
        if wish is not Wish.NOTHING:
            ask(places.job(submission.id), wish)
        return Outcome(state)

    monkeypatch.setattr(process, "compute_run", compute)
    monkeypatch.setattr(process, "Stop", lambda: None)
    monkeypatch.setattr(process, "_watch", lambda *_: None)
    end = State.COMPLETED if state is State.COMPLETED else AFTER_STOP[wish]
    for step in itertools.count():
        jobs = Jobs(tmp_path / str(step), running=0)
        id = jobs.submit("run", request()).id
        put(jobs, id, State.STARTING)
        jobs.close()
        monkeypatch.setattr(sys, "argv", ["process", str(tmp_path / str(step)), id])
        died = killed_at(step, process.main)
        with jobs.supervise():
            found = jobs.get(id).state
        assert found in {State.QUEUED, AFTER_STOP[wish], end}
        assert found is end or died
        assert not os.listdir(jobs._places.live)
        jobs.close()
        if not died:
            assert step > 3
            return


AFTER_STOP = {Wish.NOTHING: State.QUEUED, Wish.PAUSE: State.PAUSED, Wish.CANCEL: State.CANCELLED}
# What is done, the state that the job is in before, what it is asked for, and the states in which it may be found.
CHANGES = {
    "submit": (
        lambda jobs, id: jobs.submit("run", request(), idempotency_key="second"),
        State.PAUSED,
        Wish.NOTHING,
        {State.PAUSED},
    ),
    "pause": (lambda jobs, id: jobs.pause(id), State.QUEUED, Wish.NOTHING, {State.QUEUED, State.PAUSED}),
    "resume": (lambda jobs, id: jobs.resume(id), State.PAUSED, Wish.PAUSE, {State.QUEUED, State.PAUSED}),
    "retry": (lambda jobs, id: jobs.resume(id), State.FAILED, Wish.NOTHING, {State.QUEUED, State.FAILED}),
    "cancel": (lambda jobs, id: jobs.cancel(id), State.QUEUED, Wish.NOTHING, {State.QUEUED, State.CANCELLED}),
    "launch": (lambda jobs, id: ticked(jobs), State.QUEUED, Wish.PAUSE, {State.QUEUED}),
    "recover": (lambda jobs, id: jobs.pause(id), State.RUNNING, Wish.NOTHING, {State.QUEUED, State.PAUSED}),
    "recover a pause": (
        lambda jobs, id: jobs.get(jobs.pause(id).id),
        State.RUNNING,
        Wish.PAUSE,
        {State.PAUSED},
    ),
    "recover a cancel": (lambda jobs, id: jobs.cancel(id), State.STARTING, Wish.CANCEL, {State.CANCELLED}),
    "delete": (lambda jobs, id: jobs.delete(id), State.COMPLETED, Wish.NOTHING, {State.COMPLETED}),
    "reorder": (lambda jobs, id: jobs.reorder(id, None), State.QUEUED, Wish.NOTHING, {State.QUEUED}),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_server_is_killed_between_any_two_changes(name, tmp_path, monkeypatch):
    """A failure costs a job, at the wrong moment: lost, half made, half deleted, or in a state that nothing leads out
    of."""
    change, before, wish, after = CHANGES[name]
    for step in itertools.count():
        root = tmp_path / str(step)
        jobs = Jobs(root)
        id = jobs.submit("run", request(), label="first").id
        make_run(jobs.directory(id))
        put(jobs, id, before, wish)
        jobs._supervisor.refresh()
        jobs.close()  # a connection must not cross a fork
        died = killed_at(step, partial(change, jobs, id))
        again = Jobs(root, running=0)
        with again.supervise():
            listed = again.list().items
            assert all(again.get(job.id) == job for job in listed)
            found = {job.id: job for job in listed}
            if id in found:
                assert found[id].state in after
                assert again.directory(id).exists() or name == "delete"
            else:
                assert name == "delete"
                with pytest.raises(NotFoundError):
                    again.get(id)
            assert found.keys() <= {id, *([id_of("key second")] if name == "submit" else [])}
            assert all(job.state not in ALIVE for job in listed)
            assert all(is_id(path.name) for path in again._places.jobs.iterdir())
            for job in listed:  # nothing is stuck
                if job.state not in ENDED:
                    assert again.cancel(job.id).state is State.CANCELLED
                again.delete(job.id)
            assert not [path for path in root.iterdir() if path.name != ".fooling"]
            assert not os.listdir(again._places.live)
        again.close()
        if not died:
            assert step > 1
            return
