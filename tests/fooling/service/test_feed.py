"""The stream of all jobs of a folder: whoever listens knows what is there without asking again."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fooling.service.feed import Feed
from fooling.service.jobs.index import Entry, Index
from fooling.service.jobs.models import Job, Progress, State
from fooling.service.jobs.watching import Watch
from fooling.service.settings import Limits
from tests.fooling.service.conftest import Service, served
from tests.fooling.service.test_api import TINY, events_of

NUMBERS = st.integers(0, 4)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), NUMBERS, st.integers(0, 3)),
        st.tuples(st.just("remove"), NUMBERS, st.just(0)),
        st.tuples(st.just("lose the index"), NUMBERS, st.just(0)),
        st.tuples(st.just("look"), NUMBERS, st.just(0)),
    ),
    max_size=30,
)


def job(number: int, generation: int) -> Job:
    return Job(
        id=f"{number:020x}",
        kind="run",
        state=State.RUNNING,
        created=datetime(2026, 1, 1, tzinfo=UTC),
        progress=Progress(generation=generation),
    )


@given(steps=STEPS)
@settings(max_examples=25)
def test_a_listener_has_what_the_index_has(tmp_path_factory: pytest.TempPathFactory, steps: Any) -> None:
    """A failure shows a run that was deleted, or a bar that stands still while its run goes on."""
    path = tmp_path_factory.mktemp("index") / "index.sqlite"
    # Another server writes, in a process of its own as far as SQLite can tell.
    index, other = Index(path), Index(path)
    watch = Watch(index, lambda jobs: jobs, tuple)
    there: dict[str, Job] = {}
    known: dict[str, Job] = {}

    def look() -> None:
        changes = watch.look()
        for each in changes.jobs:
            assert known.get(each.id) != each  # nothing is told twice
            known[each.id] = each
        for id in changes.gone:
            del known[id]

    for step, number, value in (*steps, ("look", 0, 0)):
        if step == "put":
            put = job(number, value)
            there[put.id] = put
            other.put([Entry(put, "")])
        elif step == "remove":
            there.pop(job(number, 0).id, None)
            other.remove([job(number, 0).id])
        elif step == "lose the index":
            path.unlink(missing_ok=True)
            other.put([Entry(each, "") for each in there.values()])
            other.remove([])
        else:
            look()
            assert known == there
    index.close()
    other.close()


def test_the_stream_tells_of_launches_changes_and_deletions(own_service: Service) -> None:
    """A failure leaves a page as it was when it was opened."""
    feed, client = own_service.app.state.context.feed, own_service.client
    number = feed.now()
    told: list[tuple[str, Any]] = []

    def listen() -> None:
        nonlocal number
        feed._looked = float("-inf")
        own_service.jobs._refreshed = float("-inf")
        number, data = feed.since(number)
        told.extend((each["event"], json.loads(each["data"])) for each in events_of(data.decode()))

    first, second = (client.post("/api/v1/runs", json=TINY).json()["id"] for _ in range(2))
    listen()
    assert {data["id"] for kind, data in told if kind == "job"} == {first, second}
    assert told[-1] == ("queue", {"ids": [first, second]})
    assert all(str(own_service.root) not in json.dumps(data) for _, data in told)
    told.clear()
    client.post(f"/api/v1/runs/{first}/cancel")
    listen()
    assert [(kind, data.get("state")) for kind, data in told] == [("job", "cancelled"), ("queue", None)]
    told.clear()
    client.delete(f"/api/v1/runs/{first}")
    listen()
    assert told == [("gone", {"id": first})]
    told.clear()
    listen()
    assert told == []


def test_whoever_was_away_for_too_long_is_told_to_ask_anew(own_service: Service) -> None:
    """A failure leaves holes that nobody knows of, or keeps events without end."""
    feed: Feed = own_service.app.state.context.feed
    number = feed.now()
    feed._events.extend([b"x"] * 5000)
    feed._number += 5000
    assert events_of(feed.since(number)[1].decode()) == [{"event": "again", "data": "{}"}]


def test_a_stream_of_everything_has_a_place_and_gives_it_back(hostile_folder: Path, small_run: Any) -> None:
    """A failure lets streams take all descriptors, or all places for ever."""
    for service in served(hostile_folder, small_run[1], limits=Limits(streams=1)):
        with service.app.state.context.stream():
            assert service.client.get("/api/v1/events?seconds=0").status_code == 503
        for _ in range(2):
            answer = service.client.get("/api/v1/events?seconds=0")
            assert answer.headers["content-type"].startswith("text/event-stream")
            assert events_of(answer.text)[0]["event"] == "hello"
