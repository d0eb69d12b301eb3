"""The Ray executor on a cluster whose nodes come and go. Workers take GPUs, which only these nodes have."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from fooling.errors import FoolingError
from tests.cheap_hosts import Job
from tests.cheap_work import SMALL, expected, times, toil
from tests.ray_clusters import wait_until
from workers import pool
from workers.distributed import RayExecutor

pytestmark = pytest.mark.xdist_group("ray")


def places(executor: RayExecutor, jobs: int = 12, seconds: float = 0.05) -> dict[int, dict[str, Any]]:
    """Where the workers are, by process."""
    work = [Job(number, seconds=seconds) for number in range(jobs)]
    return {facts["pid"]: facts for facts in executor.map("look_around", SMALL, work)}


def begin(work: Callable[[], Any]) -> Callable[[], Any]:
    """Do something in a thread; call what is returned for its result."""
    return ThreadPoolExecutor(1).submit(work).result


@pytest.mark.slow
def test_a_node_that_goes(holder, staff):
    """Its chunks are computed on the others, and the user is told. A failure costs the run."""
    told: list[str] = []
    with holder.node(gpus=1):
        leaving = holder.add(gpus=1)
        executor = staff(2, cpus=0, gpus=1, notify=told.append)
        wait_until(lambda: len(places(executor)) == 2, "two workers")
        jobs = [Job(number, seconds=0.2) for number in range(30)]
        results = begin(lambda: toil(executor, jobs))
        time.sleep(1)
        holder.kill(leaving)
        assert results() == expected(jobs)
        executor.close()
    assert told == ["waiting for 2 GPUs, the cluster has 1; going on with 1 of 2 workers"]


@pytest.mark.slow
def test_all_nodes_go_then_one_comes(holder, staff):
    """A failure costs what a cluster of spot instances is for."""
    told: list[str] = []
    first = holder.add(gpus=1)
    executor = staff(1, cpus=0, gpus=1, notify=told.append)
    jobs = [Job(number, seconds=0.1) for number in range(30)]
    results = begin(lambda: toil(executor, jobs))
    time.sleep(1)
    holder.kill(first)
    wait_until(lambda: told == ["waiting for 1 GPU, the cluster has 0"], "the line about waiting")
    with holder.node(gpus=1):
        assert results() == expected(jobs)
        executor.close()
    assert len(told) == 1


@pytest.mark.slow
def test_a_chunk_that_loses_its_node_three_times(holder, staff, tmp_path):
    """It is not to blame. A failure costs a run on preemptible nodes, whose chunks are long."""
    log = tmp_path / "log"
    log.touch()
    node = holder.add(gpus=1)
    executor = staff(1, cpus=0, gpus=1)
    job = Job(1, trouble="hang", log=log, times=3)
    results = begin(lambda: toil(executor, [job]))
    for number in range(1, 4):
        wait_until(lambda: times(log) == number, f"try {number}")  # noqa: B023
        holder.kill(node)
        node = holder.add(gpus=1)
    assert results() == expected([job])
    executor.close()
    holder.remove(node)


@pytest.mark.slow
def test_nodes_that_join_later_are_used(holder, staff):
    """Without a number of workers, all of the cluster is. A failure costs the nodes that the user adds."""
    with holder.node(gpus=1):
        executor = staff(None, cpus=0, gpus=1)
        assert len(places(executor)) == executor.evaluators == 1
        with holder.node(gpus=2):
            wait_until(lambda: len(places(executor)) == 3, "three workers")
            assert executor.evaluators == 3
        jobs = [Job(number, seconds=0.05) for number in range(20)]
        assert toil(executor, jobs) == expected(jobs)
        executor.close()


@pytest.mark.slow
def test_waiting_for_gpus(holder, staff):
    """One line, then the run begins with what there is, then uses what comes."""
    told: list[str] = []
    with holder.node(gpus=2):
        executor = staff(4, cpus=0, gpus=1, notify=told.append)
        wait_until(lambda: len(places(executor)) == 2, "two workers")
        with holder.node(gpus=2):
            wait_until(lambda: len(places(executor)) == 4, "four workers")
            assert told == ["waiting for 4 GPUs, the cluster has 2"]
            executor.close()


@pytest.mark.parametrize(
    ("count", "cpus", "gpus", "line"),
    [
        (4, 0, 1, "expected 4 GPUs, the cluster has 0"),
        (1, 0, 0.5, "expected 0.5 GPUs, the cluster has 0"),
        (4, 1, 0, "expected 4 CPU cores, the cluster has 3"),
        (None, 5, 0, "expected 5 CPU cores, the cluster has 3"),
    ],
)
def test_more_than_there_is_without_waiting(staff, count, cpus, gpus, line):
    """A failure costs a job script that waits in silence until it is cancelled."""
    with pytest.raises(FoolingError) as failure:
        staff(count, cpus=cpus, gpus=gpus, wait=False)
    rest = "; take fewer --workers, or leave out --no-wait to wait for more"
    assert str(failure.value) == line + rest


@pytest.mark.slow
def test_room_is_counted_node_by_node(holder, staff):
    """Two nodes of one core have no room for a worker with two. A failure costs a wait that nobody explains."""
    with holder.node(cpus=1), holder.node(cpus=1), pytest.raises(FoolingError) as failure:
        staff(2, cpus=2, wait=False)
    expected_ = "expected nodes for 2 workers of 2 CPU cores each, the cluster has room for 1; "
    assert str(failure.value).startswith(expected_)


@pytest.mark.slow
def test_fractions_of_gpus(holder, staff):
    """Four GPUs hold eight halves, each worker sees its own GPU, and no GPU gets a third worker. A failure
    costs memory that runs out on one GPU while another does nothing."""
    with holder.node(cpus=1, gpus=4):
        executor = staff(None, cpus=0, gpus=0.5)
        assert executor.evaluators == 8
        found = wait_until(lambda: len(found := places(executor, 40)) == 8 and found, "eight workers")
        assert sorted(facts["gpus"] for facts in found.values()) == ["0", "0", "1", "1", "2", "2", "3", "3"]
        executor.close()
        pairs = staff(2, cpus=0, gpus=2)
        found = wait_until(lambda: len(found := places(pairs)) == 2 and found, "two workers")
        seen = [facts["gpus"].split(",") for facts in found.values()]  # which two, Ray chooses
        assert [len(pair) for pair in seen] == [2, 2]
        assert sorted(gpu for pair in seen for gpu in pair) == ["0", "1", "2", "3"]
        pairs.close()


@pytest.mark.slow
def test_shares_that_fill_a_gpu(holder, staff, monkeypatch):
    """Thirds and sixths fit though they are no binary fractions; of 0.6 only one fits each GPU."""
    monkeypatch.setattr(pool, "PLACE_SECONDS", 3600.0)  # a slow start of twelve is no competition
    told: list[str] = []
    with holder.node(gpus=2):
        sixths = staff(12, cpus=0, gpus=1 / 6, notify=told.append)
        wait_until(lambda: len(sixths.workers) == 12 or not places(sixths), "twelve workers")
        assert told == []
        sixths.close()
        most = staff(3, cpus=0, gpus=0.6, notify=told.append)
        wait_until(lambda: len(places(most)) == 2, "two workers")
        assert told == ["waiting for nodes for 3 workers of 0.6 GPUs each, the cluster has room for 2"]
        time.sleep(2)
        assert len(places(most)) == 2
        most.close()


@pytest.mark.slow
def test_what_others_use_is_waited_for(holder, staff, monkeypatch):
    """A failure costs an explanation: the cluster is large enough, and nothing happens."""
    import ray

    monkeypatch.setattr(pool, "PLACE_SECONDS", 1.0)

    @ray.remote(num_gpus=1, num_cpus=0)
    class Foreign:
        def answer(self) -> int:
            return 42

    told: list[str] = []
    with holder.node(gpus=1):
        actor: Any = Foreign
        foreign = actor.remote()
        assert ray.get(foreign.answer.remote()) == 42
        with pytest.raises(FoolingError, match=r"^expected 1 GPU, the cluster has 0 free; "):
            staff(1, cpus=0, gpus=1, wait=False)
        opening = begin(lambda: staff(1, cpus=0, gpus=1, notify=told.append))
        wait_until(lambda: told == ["waiting for 1 GPU, the cluster has 0 free"], "the line about waiting")
        assert ray.get(foreign.answer.remote()) == 42
        ray.kill(foreign)
        assert len(places(opening())) == 1
        opening().close()
