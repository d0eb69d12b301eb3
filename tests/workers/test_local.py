"""The local executor's threads: what they compute arrives in order, what breaks arrives too, and they end."""

from __future__ import annotations

import gc
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from fooling.errors import FoolingError
from workers import tasks
from workers.host import Host
from workers.local import LocalExecutor

PATIENCE = 200.0  # seconds; longer than any machine is busy


@pytest.fixture
def executor() -> Iterator[LocalExecutor]:
    executor = LocalExecutor(Host(None), 3)
    yield executor
    executor.close()


@pytest.fixture
def compute(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[Any], Any]], None]:
    """Registers a function of a chunk as the task "probe"."""

    def register(function: Callable[[Any], Any]) -> None:
        monkeypatch.setitem(tasks.TASKS, "probe", lambda host, shared, chunk: function(chunk))

    return register


def on_a_helper() -> bool:
    return threading.current_thread() is not threading.main_thread()


def test_results_come_in_the_order_of_their_chunks(executor: LocalExecutor, compute: Any) -> None:
    """Else the statistics of a generation would depend on which thread was faster."""
    late = threading.Event()

    def work(chunk: int) -> int:
        if chunk == 0:
            late.wait(PATIENCE)
        elif chunk == 19:
            late.set()
        return chunk

    compute(work)
    for _ in range(3):
        late.clear()
        assert list(executor.map("probe", None, range(20))) == list(range(20))


def test_no_more_threads_are_started_than_there_are_chunks_for(executor: LocalExecutor, compute: Any) -> None:
    """A thread of torch's takes memory, and its start takes time."""
    before = threading.active_count()
    compute(lambda chunk: chunk)
    assert list(executor.map("probe", None, [7])) == [7]
    assert threading.active_count() == before
    assert list(executor.map("probe", None, [])) == []
    assert list(executor.map("probe", None, range(9))) == list(range(9))
    assert before < threading.active_count() <= before + 2


def test_what_breaks_in_another_thread_reaches_the_caller_and_the_next_generation_is_computed(
    executor: LocalExecutor, compute: Any
) -> None:
    """A failure costs a run that waits for ever, or goes on without a chunk."""
    helped = threading.Event()

    def work(chunk: int) -> int:
        if on_a_helper():
            helped.set()
            raise RuntimeError("the network broke")
        helped.wait(PATIENCE)
        return chunk

    compute(work)
    for _ in range(2):
        helped.clear()
        with pytest.raises(FoolingError, match="the network broke"):
            list(executor.map("probe", None, range(6)))
    compute(lambda chunk: chunk)
    assert list(executor.map("probe", None, range(6))) == list(range(6))


def test_a_thread_that_can_not_be_prepared_says_so_each_time(compute: Any) -> None:
    """A failure costs a run on a GPU without room for another stream: it would wait for ever."""

    def prepare() -> None:
        raise MemoryError("no room for a stream")

    executor = LocalExecutor(Host(None), 2, prepare)
    compute(lambda chunk: chunk)
    for _ in range(2):
        with pytest.raises(MemoryError, match="no room for a stream"):
            list(executor.map("probe", None, range(4)))
    executor.close()


def test_who_stops_reading_stops_the_others(executor: LocalExecutor, compute: Any) -> None:
    """A failure costs what Ctrl-C is for: chunks nobody wants any more are computed to the last."""
    done: list[int] = []

    def work(chunk: int) -> int:
        done.append(chunk)
        time.sleep(0.01)  # all of them take half a minute
        return chunk

    compute(work)
    results = executor.map("probe", None, range(10_000))
    assert next(results) == 0
    results.close()
    count = len(done)
    assert count < 10_000
    assert list(executor.map("probe", None, range(4))) == list(range(4))
    assert len(done) == count + 4


def test_its_threads_end_with_it(compute: Any) -> None:
    """Each holds a host's memory."""
    before = threading.active_count()
    for _ in range(5):
        executor = LocalExecutor(Host(None), 4)
        compute(lambda chunk: chunk)
        list(executor.map("probe", None, range(8)))
        executor.close()
        LocalExecutor(Host(None), 4).close()  # none was started
    assert threading.active_count() == before


def test_a_failure_that_was_told_holds_no_memory(executor: LocalExecutor, compute: Any) -> None:
    """A failure costs the memory for computing again with a smaller batch: what the failed pass held hangs on the
    traceback."""

    class Held:
        pass

    held: list[weakref.ref[Held]] = []

    def work(chunk: int) -> int:
        memory = Held()
        held.append(weakref.ref(memory))
        raise RuntimeError("it broke")

    compute(work)
    results = executor.map("probe", None, range(4))
    with pytest.raises(FoolingError, match="it broke"):
        list(results)
    gc.collect()
    assert held
    assert all(memory() is None for memory in held)


def test_a_failure_names_its_chunk(compute: Any) -> None:
    """A failure costs the log of a run: a broken operator ends it as `failed` on Ray, and as `interrupted` here."""

    class Chunk:
        name = "children 0 to 24 of generation 3"

    def work(chunk: Any) -> None:
        raise ValueError("the operator broke\nin its second line")

    compute(work)
    executor = LocalExecutor(Host(None), 1)
    with pytest.raises(FoolingError) as failure:
        list(executor.map("probe", None, [Chunk()]))
    assert str(failure.value) == "children 0 to 24 of generation 3 failed: ValueError: the operator broke"
