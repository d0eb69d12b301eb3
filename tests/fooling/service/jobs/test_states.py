"""The states of a job: whatever is asked of it, and whoever dies, only what the table allows follows."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from fooling.errors import NotFoundError
from fooling.service.jobs import ENDED, TRANSITIONS, ConflictError, Jobs, State
from fooling.service.jobs.locks import Process, boot, exclusive, seize
from fooling.service.jobs.models import ALIVE
from fooling.service.jobs.process import ended
from fooling.service.jobs.records import Wish, current, read_record, read_wish, write
from fooling.service.jobs.recovery import enter, leave, settled
from tests.fooling.service.jobs.tiny_jobs import request

GONE = Process(pid=2**22 - 1, born=1, boot=boot())  # no process has this number and this birth


def reachable(before: State) -> set[State]:
    """What may be seen after it: a change may first find that the process has died."""
    once = {before, *TRANSITIONS[before]}
    return once | {after for state in once - ENDED for after in TRANSITIONS[state]} | set(TRANSITIONS[before])


def test_the_table_is_whole():
    """A failure costs whoever reads the table: a state that nothing leads to, or that leads nowhere."""
    assert set(TRANSITIONS) == set(State)
    assert {after for follow in TRANSITIONS.values() for after in follow} == set(State)
    assert {state for state in State if not TRANSITIONS[state]} == {State.CANCELLED, State.COMPLETED}
    assert not ALIVE & ENDED


class Life(RuleBasedStateMachine):
    """A job, its server, and a process that is only a lock and what a process would write."""

    @initialize()
    def begin(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.jobs = Jobs(Path(self.folder.name), running=0)
        self.id = self.jobs.submit("run", request()).id
        self.places = self.jobs._places
        self.files = self.places.job(self.id)
        self.lock: int | None = None
        self.state = State.QUEUED

    def teardown(self) -> None:
        self._drop()
        self.jobs.close()
        self.folder.cleanup()

    @rule(change=st.sampled_from(["pause", "resume", "cancel"]))
    def ask(self, change: str) -> None:
        before = self._seen()
        try:
            first = getattr(self.jobs, change)(self.id)
        except ConflictError:
            assert before in ENDED or before is State.CANCELLING or self.lock is None
            self._seen()
            return
        wanted = {
            "pause": {State.PAUSING, State.PAUSED},
            "resume": {State.QUEUED, State.STARTING, State.RUNNING},
            "cancel": {State.CANCELLING, State.CANCELLED},
        }[change]
        assert first.state in wanted
        assert getattr(self.jobs, change)(self.id) == first  # asked twice is asked once
        self._seen()

    @precondition(lambda self: self.lock is None and self.state is State.QUEUED)
    @rule()
    def launch(self) -> None:
        self.lock = seize(self.files.lock)
        enter(self.places, self.id)
        record = read_record(self.files)
        write(self.files.record, record.turned(State.STARTING, process=GONE))
        if read_wish(self.files) is not Wish.NOTHING:
            self.files.wish.unlink()
        self._seen()

    @precondition(lambda self: self.lock is not None)
    @rule()
    def run(self) -> None:
        record = read_record(self.files)
        if record.state is State.STARTING:
            write(self.files.record, record.model_copy(update={"state": State.RUNNING}))
        self._seen()

    @precondition(lambda self: self.lock is not None and read_record(self.files).state is State.RUNNING)
    @rule(
        state=st.sampled_from([State.COMPLETED, State.FAILED, State.RUNNING]),
        reason=st.sampled_from(["", "why"]),
    )
    def end(self, state: State, reason: str) -> None:
        write(self.files.record, ended(read_record(self.files), read_wish(self.files), state, reason))
        leave(self.places, self.id)
        self._drop()
        self._seen()

    @precondition(lambda self: self.lock is not None)
    @rule()
    def die(self) -> None:
        self._drop()

    @rule()
    def look(self) -> None:
        with exclusive(self.places.mutex):
            _, record, wish = settled(self.places, self.id)
        if self.lock is None:
            assert current(record, wish) not in ALIVE  # nobody is said to live who doesn't
        self._seen()

    @rule()
    def delete(self) -> None:
        self.look()  # so that the state is that of now
        if self._seen() not in ENDED:
            with pytest.raises(ConflictError):
                self.jobs.delete(self.id)
            self._seen()
            return
        self.jobs.delete(self.id)
        with pytest.raises(NotFoundError):
            self.jobs.get(self.id)
        self.id = self.jobs.submit("run", request()).id
        self.files, self.state = self.places.job(self.id), State.QUEUED

    def _seen(self) -> State:
        now = self.jobs.get(self.id).state
        assert now in reachable(self.state), f"{self.state} -> {now}"
        self.state = now
        return now

    def _drop(self) -> None:
        if getattr(self, "lock", None) is not None:
            os.close(self.lock)  # type: ignore[arg-type]
        self.lock = None


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing here outlives the test, so nothing has to reach the disk."""

    def nothing(descriptor: Any) -> None:
        return None

    monkeypatch.setattr(os, "fsync", nothing)


def test_only_what_the_table_allows_follows():
    """A failure costs a job: it would be stuck, started twice, or told to be done while it is not."""
    from hypothesis.stateful import run_state_machine_as_test

    run_state_machine_as_test(Life, settings=settings(max_examples=20, stateful_step_count=20, deadline=None))
