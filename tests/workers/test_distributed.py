"""The Ray executor on a real cluster: what workers and chunks may do to a run without changing it."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from fooling.errors import FoolingError, Interrupted, InvalidError
from tests.cheap_hosts import BATCH, BUILDER, Job, make
from tests.cheap_work import LARGE, SMALL, expected, pids, times, toil
from tests.ray_clusters import Holder, wait_until
from workers import dispatcher, pool
from workers.actor import Blueprint
from workers.cluster import Cluster, Resources
from workers.distributed import RayExecutor

pytestmark = pytest.mark.xdist_group("ray")


@pytest.fixture(scope="module")
def pair(holder: Holder) -> Iterator[RayExecutor]:
    """Two workers that several tests share: what a test does to them must not outlast it."""
    blueprint = Blueprint(BUILDER, {})
    executor = RayExecutor(Cluster(None, 1, 1), blueprint, make(), Resources(1, 0), 2)
    yield executor
    executor.close()


@pytest.mark.parametrize("shared", [SMALL, LARGE], ids=["inline", "through the object store"])
@pytest.mark.parametrize("count", [0, 1, 2, 7, 40])
def test_results_come_in_the_order_of_the_chunks(pair, shared, count):
    """A failure costs the archive: candidates would be booked under other children's names."""
    jobs = [Job(number, seconds=0.01 * (number % 3)) for number in range(count)]
    assert toil(pair, jobs, shared) == expected(jobs, shared)


def test_a_map_that_is_given_up_does_not_spoil_the_next(pair):
    """The engine computes a generation again when memory ran out: answers of the first try must not count."""
    slow = pair.map("toil", SMALL, [Job(number, seconds=0.2) for number in range(8)])
    next(slow)
    slow.close()
    jobs = [Job(number + 100) for number in range(8)]
    assert toil(pair, jobs) == expected(jobs)


EXIT = pytest.param("exit", marks=pytest.mark.slow)


@pytest.mark.parametrize("trouble", ["raise", "die", EXIT])
def test_a_chunk_that_fails_twice_is_computed_all_the_same(pair, trouble, tmp_path):
    """A failure costs a run of days to a hiccup."""
    log = tmp_path / "log"
    jobs = [Job(n, trouble=trouble * (n == 3), log=log if n == 3 else None, times=2) for n in range(6)]
    assert toil(pair, jobs) == expected(jobs)
    assert times(log) in (3, 4)  # on a slow machine an idle worker takes what is late once more


@pytest.mark.parametrize(
    ("trouble", "reason"),
    [
        ("raise", "ValueError: the network"),
        ("die", "its worker died (ActorDiedError)"),
        pytest.param("exit", "its worker died (ActorDiedError)", marks=pytest.mark.slow),
    ],
)
def test_a_chunk_that_always_fails_is_tried_three_times_and_named(pair, trouble, reason, tmp_path):
    """A failure costs either an endless loop or a message that helps nobody; and the workers."""
    log = tmp_path / "log"
    jobs = [Job(n, trouble=trouble * (n == 3), log=log if n == 3 else None) for n in range(6)]
    with pytest.raises(FoolingError) as failure:
        toil(pair, jobs)
    assert str(failure.value) == f"job 3 failed 3 times: {reason}"
    assert times(log) in (3, 4)  # on a slow machine an idle worker takes what is late once more
    assert toil(pair, [Job(1)]) == expected([Job(1)])


def test_a_chunk_without_a_name_is_numbered(pair):
    """A failure costs the error of a chunk its subject."""
    with pytest.raises(FoolingError, match=r"chunk 2 of 2 failed 3 times: AttributeError"):
        list(pair.map("look_around", SMALL, [Job(1), 2]))


@pytest.mark.slow
def test_a_chunk_that_hangs(staff, tmp_path):
    """Given up after the patience, tried elsewhere; if it always hangs, named. Else a run hangs for ever."""
    executor = staff(2, patience=3.0)
    once = [Job(n, trouble="hang" * (n == 1), log=tmp_path / f"once{n}", times=1) for n in range(4)]
    assert toil(executor, once) == expected(once)
    always = [Job(n, trouble="hang" * (n == 1)) for n in range(4)]
    with pytest.raises(FoolingError) as failure:
        toil(executor, always)
    assert str(failure.value) == "job 1 failed 3 times: no answer within 3 s (run.patience)"


def test_a_straggler_is_computed_elsewhere_too(pair, tmp_path, monkeypatch):
    """The first answer counts. A failure costs all workers' time for one that is slow."""
    monkeypatch.setattr(dispatcher, "LATE_SECONDS", 0.3)
    log = tmp_path / "log"
    jobs = [Job(n, trouble="hang" * (n == 0), log=log if n == 0 else None, times=1) for n in range(12)]
    began = time.monotonic()
    assert toil(pair, jobs) == expected(jobs)
    assert time.monotonic() - began < 200  # it hangs for an hour
    assert times(log) == 2
    os.kill(
        int(log.read_text().split()[0]), signal.SIGKILL
    )  # else it would keep this worker from other tests


@pytest.mark.slow
def test_workers_killed_at_random_moments(pair):
    """What they had begun is computed again, and they are replaced. A failure costs chunks, or the run."""
    stop = threading.Event()
    killed: list[int] = []

    def kill() -> None:
        while not stop.wait(1.5):
            if ready := pids(pair):
                killed.append(ready[len(killed) % len(ready)])
                os.kill(killed[-1], signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        jobs = [Job(number, seconds=0.1) for number in range(60)]
        assert toil(pair, jobs) == expected(jobs)
    finally:
        stop.set()
        killer.join()
    assert len(killed) >= 2

    def whole() -> bool:
        toil(pair, [Job(1)])
        return len(pids(pair)) == 2 and not set(pids(pair)) & set(killed)

    wait_until(whole, "two new workers")


@pytest.mark.slow
def test_memory_that_runs_out_is_the_caller_s_to_handle(staff):
    """And after it has, all workers have half the batch, also those that come later. A failure costs equal
    bits: a generation would be computed with two batches."""
    executor = staff(2)
    jobs = [Job(n, trouble="memory") for n in range(6)]
    with pytest.raises(torch.OutOfMemoryError, match=r"^out of memory. Tried to allocate 2.00 GiB\.$"):
        toil(executor, jobs)
    assert executor.halve_batch() == BATCH // 2
    assert toil(executor, jobs) == expected(jobs)
    os.kill(pids(executor)[0], signal.SIGKILL)

    def batches() -> dict[int, int]:
        found = executor.map("look_around", SMALL, [Job(n, seconds=0.05) for n in range(6)])
        return {facts["pid"]: facts["batch"] for facts in found}

    before = set(pids(executor))
    after = wait_until(lambda: (now := batches()) and set(now) - before and now, "a new worker")
    assert set(after.values()) == {BATCH // 2}


def test_a_wish_to_stop_is_heard_in_a_moment(staff):
    """A failure costs the user's patience with Ctrl-C, and then the run, which a second one kills."""
    stopping = threading.Event()
    executor = staff(1, stopping=stopping)
    threading.Timer(0.3, stopping.set).start()
    began = time.monotonic()
    with pytest.raises(Interrupted):
        toil(executor, [Job(1, seconds=60)])
    assert time.monotonic() - began < 10


def test_closing_ends_the_workers_and_only_those(staff, pair):
    """A failure costs the cores of a cluster that others use."""
    executor = staff(1)
    (pid,) = pids(executor)
    executor.close()
    wait_until(lambda: not _is_alive(pid), "the end of the worker")
    assert toil(pair, [Job(1)]) == expected([Job(1)])


def test_workers_write_into_the_folder_of_logs(staff, tmp_path):
    """A failure costs the traceback of what went wrong on another machine."""
    executor = staff(1)
    executor.log_into(tmp_path)
    toil(executor, [Job(1, trouble="raise", log=tmp_path / "tries", times=1)])
    (log,) = wait_until(lambda: list(tmp_path.glob("worker-*.log")), "a log")
    assert "ValueError: the network" in log.read_text()
    assert str(pids(executor)[0]) in log.name


def test_a_host_that_can_t_be_built(staff, tmp_path):
    """Three tries, one line; and the worker's traceback for who asks for it, since there is no log yet. A failure
    costs workers that start and die for ever."""
    log = tmp_path / "log"
    with pytest.raises(FoolingError) as failure:
        staff(1, argument={"trouble": "raise", "log": log})
    assert str(failure.value) == "workers can't start: ValueError: the network"
    (note,) = failure.value.__notes__
    assert note.startswith("On the worker:\nTraceback")
    assert "in _raise" in note
    assert times(log) == 3


@pytest.mark.slow
def test_a_worker_that_dies_at_its_start(staff):
    """A failure costs workers that start and die for ever."""
    with pytest.raises(FoolingError, match=r"workers can't start: its worker died \(ActorDiedError\)"):
        staff(1, argument={"trouble": "die"})


@pytest.mark.slow
def test_a_worker_that_hangs_at_its_start(staff, monkeypatch):
    """A failure costs a run that waits for ever."""
    monkeypatch.setattr(pool, "START_SECONDS", 0.5)
    with pytest.raises(FoolingError, match=r"workers can't start: no answer within 0\.5 s"):
        staff(1, argument={"trouble": "hang"})


def test_another_classifier_on_a_worker_is_refused(staff):
    """A failure costs the claims of the archive: they would be another network's."""
    with pytest.raises(FoolingError, match=r"its fingerprint is cheap, expected mine; give all machines"):
        staff(1, host="mine")


@pytest.mark.parametrize("certainty", [0.502, float("nan")])
def test_other_weights_on_a_worker_are_refused_whatever_the_fingerprint_says(staff, certainty):
    """A fingerprint does not see all weights. A failure costs the same."""
    expected = r"another one than here: its weights differ, though the fingerprint is the same: class 0 of synthetic "
    with pytest.raises(InvalidError, match=expected):
        staff(1, argument={"certainty": certainty})
    staff(1, argument={"certainty": 0.5001})  # last bits may differ between machines


def test_what_can_t_be_sent_is_said_in_one_line(staff):
    """A failure costs the user a traceback of pickle."""
    with pytest.raises(FoolingError, match="given from Python can't be sent to Ray workers: ") as failure:
        staff(1, argument={"lock": threading.Lock()})
    assert "\n" not in str(failure.value)


def _is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
