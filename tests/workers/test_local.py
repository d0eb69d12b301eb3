"""The local executor's threads: what they compute arrives in order, what breaks arrives too, and they end."""

from __future__ import annotations

import gc
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import pytest

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
    assert threading.active_count() == before + 2


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
        with pytest.raises(RuntimeError, match="the network broke"):
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


def test_what_is_asked_later_is_computed_by_whoever_is_free_and_the_older_first(
    executor: LocalExecutor, compute: Any
) -> None:
    """A failure costs evaluators that stand still, or a generation that waits for the one after it."""
    order: list[int] = []
    later = threading.Event()

    def work(chunk: int) -> int:
        order.append(chunk)
        if chunk == 0:
            assert later.wait(PATIENCE)  # the first of the older ends when the last of the younger is begun
        if chunk == 19:
            later.set()
        return chunk

    compute(work)
    older, younger = executor.map("probe", None, range(10)), executor.map("probe", None, range(10, 20))
    assert list(older) == list(range(10))
    assert list(younger) == list(range(10, 20))
    assert max(order.index(chunk) for chunk in range(10)) < min(order.index(chunk) for chunk in range(13, 20))


def test_who_gives_up_one_call_keeps_the_other(executor: LocalExecutor, compute: Any) -> None:
    """A failure costs the generation under way, when a guess about the next one is given up."""
    older, younger = _two(executor, compute)
    younger.close()
    assert list(younger) == []
    assert list(older) == list(range(10))


def test_a_failure_is_of_its_own_call_only(executor: LocalExecutor, compute: Any) -> None:
    """A failure costs a generation whose results are all there."""
    older, younger = _two(executor, compute)
    assert list(older) == list(range(10))
    with pytest.raises(RuntimeError, match="chunk 10 broke"):
        list(younger)


def _two(executor: LocalExecutor, compute: Any) -> tuple[Any, Any]:
    """Ten chunks that are computed and ten of which the first breaks."""

    def work(chunk: int) -> int:
        time.sleep(0.001)
        if chunk == 10:
            raise RuntimeError("chunk 10 broke")
        return chunk

    compute(work)
    return executor.map("probe", None, range(10)), executor.map("probe", None, range(10, 20))


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
    with pytest.raises(RuntimeError, match="it broke"):
        list(results)
    gc.collect()
    assert held
    assert all(memory() is None for memory in held)


def test_ctrl_c_is_heard_at_once_whoever_s_chunk_it_hits(compute: Any) -> None:
    """A failure costs Ctrl-C: it would wait for the turn of a generation begun ahead, or be given up with it."""
    helped, released = threading.Event(), threading.Event()
    executor = LocalExecutor(Host(None), 2)

    def work(chunk: int) -> None:
        if on_a_helper():
            helped.set()
            assert released.wait(PATIENCE)
        elif chunk < 10:
            assert helped.wait(PATIENCE)
        else:
            released.set()
            raise KeyboardInterrupt

    compute(work)
    older, _ = executor.map("probe", None, range(2)), executor.map("probe", None, range(10, 12))
    with pytest.raises(KeyboardInterrupt):
        list(older)
    executor.close()
