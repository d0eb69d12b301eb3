"""The order of the queue, and when its jobs are going to start."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fooling.service.jobs.estimating import starts
from fooling.service.jobs.queue import moved, ordered, read_pinned, write_pinned

STEPS = st.lists(
    st.tuples(
        st.sampled_from(["arrive", "move", "move to the end", "leave"]), st.integers(0, 9), st.integers(0, 9)
    ),
    max_size=30,
)


@given(steps=STEPS)
@settings(max_examples=60)
def test_moves_are_those_of_a_list(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int, int]]
) -> None:
    """A failure computes the jobs in another order than somebody gave them, after a restart too: the order is read from the
    disk before each change. Jobs that come later are behind those that were ordered; jobs that go leave no hole."""
    path = tmp_path_factory.mktemp("queue") / "queue.json"
    waiting: dict[str, float] = {}
    wanted: list[str] = []
    for moment, (step, first, second) in enumerate(steps):
        order = ordered([(id, False, created) for id, created in waiting.items()], read_pinned(path))
        assert order == wanted
        if step == "arrive":
            id = f"{moment:020x}"
            waiting[id] = float(moment)
            wanted.append(id)
            continue
        if not wanted:
            continue
        id = wanted[first % len(wanted)]
        before = None if step == "move to the end" else wanted[second % len(wanted)]
        if step == "leave":
            del waiting[id]
            wanted.remove(id)
        elif id != before:
            write_pinned(path, moved(order, id, before))
            wanted.remove(id)
            wanted.insert(wanted.index(before) if before is not None else len(wanted), id)
    assert ordered([(id, False, created) for id, created in waiting.items()], read_pinned(path)) == wanted


def test_a_job_that_was_under_way_is_first_whatever_the_order() -> None:
    """A failure lets a job that a crash has stopped wait behind hours of others."""
    assert ordered([("a", False, 1.0), ("b", True, 9.0), ("c", False, 2.0)], ["c", "a"]) == ["b", "c", "a"]


@pytest.mark.parametrize(
    ("live", "waiting", "running", "expected"),
    [
        ([10.0], [5.0, 7.0, 1.0], 1, [10.0, 15.0, 22.0]),
        ([10.0, 4.0], [5.0, 7.0, 1.0], 2, [4.0, 9.0, 10.0]),
        ([10.0], [5.0], 2, [0.0]),  # it is about to be started
        ([None], [5.0, 7.0], 1, [None, None]),
        ([10.0], [None, 7.0], 1, [10.0, None]),
        ([10.0, 4.0, 6.0], [1.0, 1.0], 2, [6.0, 7.0]),  # another server started the third
        ([], [5.0], 0, [None]),  # this server starts none
    ],
)
def test_when_jobs_start(
    live: list[float | None], waiting: list[float | None], running: int, expected: list[float | None]
) -> None:
    """A failure tells people to come back at the wrong time; what is not known has to be said."""
    assert starts(live, waiting, running) == expected
