"""The log of a run as it is followed: whatever happens to the file, each generation is told once and in order."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fooling.errors import InvalidError
from fooling.service.live import EventId, Follower, Told, message


class Log:
    """A run's log, and what its writer does to it."""

    def __init__(self, path: Path) -> None:
        self.path, self.generation, self.part = path, -1, 0
        self.checkpoint = (-1, 0)  # generation, bytes
        path.write_bytes(b"")

    def add(self, **event: Any) -> None:
        with self.path.open("ab") as file:
            file.write(json.dumps(event).encode() + b"\n")

    def generations(self, count: int) -> None:
        for _ in range(count):
            self.generation += 1
            # Seconds differ each time that a generation is computed.
            seconds = self.generation + self.part / 8
            self.add(event="generation", generation=self.generation, evaluations=1, seconds=seconds)

    def save(self) -> None:
        self.checkpoint = (self.generation, self.path.stat().st_size)
        self.add(event="checkpointing", generation=self.generation)
        self.add(event="checkpoint", generation=self.generation)

    def tear(self) -> None:
        """A crash in the middle of a line."""
        with self.path.open("ab") as file:
            file.write(b'{"event": "generation", "gener')

    def resume(self) -> None:
        """Go on from the checkpoint."""
        self.part += 1
        self.generation, length = self.checkpoint
        with self.path.open("ab") as file:
            file.truncate(length)
        if self.generation >= 0:
            self.add(event="resume", generation=self.generation, versions={"torch": str(self.part)})


def everything(follower: Follower) -> list[Told]:
    found: list[Told] = []
    while batch := follower.look(most=3):
        found += batch
    return found


def numbers(told: list[Told]) -> list[int]:
    return [each.data["generation"] for each in told if each.kind == "generation"]


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("generations"), st.integers(1, 6)),
        st.just(("save", 0)),
        st.just(("crash", 0)),
        st.just(("torn crash", 0)),
        st.just(("look", 0)),
        st.just(("come back", 0)),
    ),
    max_size=25,
)


@given(steps=STEPS)
@settings(max_examples=200)
def test_each_generation_is_told_once_and_in_order(
    tmp_path_factory: pytest.TempPathFactory, steps: Any
) -> None:
    """A failure draws a curve with a hole or a jump back, or leaves a client waiting for the end of a run that has ended.
    The reader looks at any moment, and comes back with the last id that it was told, as browsers do."""
    log = Log(tmp_path_factory.mktemp("log") / "events.jsonl")
    follower, told = Follower(log.path), []
    for step, count in steps:
        if step == "generations":
            log.generations(count)
        elif step == "save":
            log.save()
        elif step in ("crash", "torn crash"):
            if step == "torn crash":
                log.tear()
                told += everything(follower)
            log.resume()
        else:
            if step == "come back":
                follower = Follower(log.path, EventId.parse(str(told[-1].id)) if told else None)
            told += everything(follower)
    log.generations(1)
    log.save()
    log.add(event="completed", generation=log.generation)
    told += everything(follower)
    highest = max(numbers(told))
    assert numbers(told) == list(range(highest + 1))
    assert highest >= log.generation
    ids = [str(each.id) for each in told]
    assert len(set(ids)) == len(ids)
    assert [each.id.place for each in told] == sorted(each.id.place for each in told)
    assert all(EventId.parse(str(each.id)) == each.id for each in told)


@given(steps=STEPS, where=st.floats(0, 1))
@settings(max_examples=100)
def test_a_late_reader_gets_what_the_first_one_got(
    tmp_path_factory: pytest.TempPathFactory, steps: Any, where: float
) -> None:
    """A failure shows two people different runs: whoever comes at any id of a log that has come to rest gets exactly the
    events behind it."""
    log = Log(tmp_path_factory.mktemp("log") / "events.jsonl")
    for step, count in steps:
        if step == "generations":
            log.generations(count)
        elif step == "save":
            log.save()
        elif "crash" in step:
            log.resume()
    log.generations(2)
    whole = everything(Follower(log.path))
    assert [(each.kind, each.data) for each in whole] == [
        (data["event"], data) for data in map(json.loads, log.path.read_text().splitlines())
    ]
    place = int(where * (len(whole) - 1))
    rest = everything(Follower(log.path, EventId.parse(str(whole[place].id))))
    assert [each.data for each in rest] == [each.data for each in whole[place + 1 :]]


def test_a_log_that_grew_longer_than_it_was_before_it_was_cut(tmp_path: Path) -> None:
    """A failure reads on at a byte that is in the middle of another line: a resume may be quicker than the next look."""
    log = Log(tmp_path / "events.jsonl")
    log.generations(3)
    log.save()
    log.generations(3)
    follower = Follower(log.path)
    assert numbers(everything(follower)) == [0, 1, 2, 3, 4, 5]
    log.resume()
    log.generations(6)
    told = everything(follower)
    assert numbers(told) == [6, 7, 8]
    assert [str(each.id) for each in told] == ["1-2.1-5", "1-6", "1-7", "1-8"]


def test_a_log_that_is_not_there_yet(tmp_path: Path) -> None:
    """A failure ends the stream of a run that waits in the queue."""
    follower = Follower(tmp_path / "events.jsonl")
    assert follower.look() == []
    Log(tmp_path / "events.jsonl").generations(1)
    assert numbers(follower.look()) == [0]


@pytest.mark.parametrize(
    "line", [b"3", b"[]", b"{}", b'{"event": 3}', b"\xff", b'{"event": "x", "generation": 1e9}']
)
def test_a_log_of_a_stranger(tmp_path: Path, line: bytes) -> None:
    """A failure ends in a defect, which takes the server's log and tells nobody."""
    (tmp_path / "events.jsonl").write_bytes(line + b"\n")
    with pytest.raises(InvalidError):
        Follower(tmp_path / "events.jsonl").look()


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    """A failure sends a file of this machine to whoever reads an imported run."""
    (tmp_path / "secret").write_text('{"event": "secret"}\n')
    (tmp_path / "events.jsonl").symlink_to(tmp_path / "secret")
    with pytest.raises(InvalidError, match="link"):
        Follower(tmp_path / "events.jsonl").look()


def test_nothing_in_an_event_can_end_it() -> None:
    """A failure lets a label of a stranger forge events."""
    sent = message("x\nid: 9", {"label": "a\n\nevent: forged\rdata: 1\u2028\x00"}, EventId(0, 3, 0, 3))
    lines = sent.decode().split("\n")
    assert lines[0] == "id: 0-3"
    assert lines[1] == "event: xid9"
    assert lines[2].startswith("data: ")
    assert lines[3:] == ["", ""]
    assert "\r" not in sent.decode()
