"""The file with what people said: nothing that was said is lost or changed, whatever is done to the file."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from fooling.errors import FoolingError, InvalidError, NotFoundError
from fooling.store import people
from fooling.store.people import AnswerRecord, SessionRecord, Trial

SESSION, OTHER = "a" * 32, "b" * 32
CLASSES = 10


def session(id: str = SESSION, **changes: Any) -> SessionRecord:
    trials = [Trial(number=number, image=f"{number:032x}", confidence=0.5) for number in range(3)]
    fields: dict[str, Any] = {
        "mode": "naming",
        "seed": 1,
        "began": "2026-01-01",
        "options": CLASSES,
        "trials": tuple(trials),
    }
    return SessionRecord(session=id, **{**fields, **changes})


def answer(trial: int, given: int | None, id: str = SESSION) -> AnswerRecord:
    return AnswerRecord(session=id, trial=trial, answer=given, at="2026-01-01")


def test_what_was_said_is_read_again(tmp_path: Path) -> None:
    """A failure costs people their work: answers can't be asked for twice."""
    assert people.read(tmp_path, CLASSES) == people.NOTHING
    people.begin(tmp_path, session(person="Ann"))
    people.add(tmp_path, CLASSES, answer(0, 7))
    told = people.add(tmp_path, CLASSES, answer(2, None))
    assert people.read(tmp_path, CLASSES) == told
    assert told.given(SESSION) == {0: 7, 2: None}
    assert told.sessions[SESSION] == session(person="Ann")


def test_an_answer_is_given_once(tmp_path: Path) -> None:
    """A failure lets an answer be changed after the truth was shown, or a repeated request count twice."""
    people.begin(tmp_path, session())
    people.add(tmp_path, CLASSES, answer(0, 7))
    before = (tmp_path / people.NAME).read_bytes()
    people.add(tmp_path, CLASSES, answer(0, 7))
    with pytest.raises(FoolingError, match="answered before"):
        people.add(tmp_path, CLASSES, answer(0, 0))
    assert (tmp_path / people.NAME).read_bytes() == before


@pytest.mark.parametrize(
    ("record", "error"),
    [
        (answer(3, 1), "an image below 3, found 3"),
        (answer(1, CLASSES), "a class below 10, found 10"),
        (answer(1, 1, OTHER), "no session"),
    ],
)
def test_an_answer_that_fits_nothing_is_refused(tmp_path: Path, record: AnswerRecord, error: str) -> None:
    """A failure fills the file with lines that count for nothing."""
    people.begin(tmp_path, session())
    with pytest.raises((InvalidError, NotFoundError), match=error):
        people.add(tmp_path, CLASSES, record)


def test_of_two_labels_one_has_to_be_chosen(tmp_path: Path) -> None:
    """A failure counts "nothing" as an answer where guessing is the question, and the share is no share any more."""
    trials = (Trial(number=4, image="0" * 32, offered=(2, 4)),)
    people.begin(tmp_path, session(mode="choice", trials=trials))
    for given in (None, 3):
        with pytest.raises(InvalidError, match=f"one of the classes 2 and 4, found {given}"):
            people.add(tmp_path, CLASSES, answer(0, given))
    assert people.add(tmp_path, CLASSES, answer(0, 2)).given(SESSION) == {0: 2}


def test_torn_and_foreign_lines_are_left_out(tmp_path: Path) -> None:
    """A failure costs all answers of a run for the sake of one line."""
    people.begin(tmp_path, session())
    people.add(tmp_path, CLASSES, answer(0, 7))
    path = tmp_path / people.NAME
    lines = path.read_text().splitlines()
    strange = [
        "nonsense", "[]", "{}", '{"event": "session"}', lines[0],  # a session that there is already
        lines[0].replace(SESSION, OTHER).replace('"class":2', '"class":10'),
        lines[1].replace('"answer":7', '"answer":10'),
        lines[1].replace(SESSION, OTHER),
    ]  # fmt: skip
    path.write_text("\n".join([*lines, *strange, lines[1].replace('"trial":0', '"trial":1')[:-5]]))
    told = people.read(tmp_path, CLASSES)
    assert (list(told.sessions), told.given(SESSION), told.damaged) == ([SESSION], {0: 7}, len(strange) + 1)
    people.add(tmp_path, CLASSES, answer(1, None))  # after the torn line, not in it
    assert people.read(tmp_path, CLASSES).given(SESSION) == {0: 7, 1: None}


def test_a_file_of_a_stranger_is_bounded_and_no_link(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A failure lets a run directory from elsewhere fill the memory, or have another file written to."""
    path = tmp_path / people.NAME
    target = tmp_path / "victim"
    target.write_text("precious")
    path.symlink_to(target)
    for attempt in (lambda: people.read(tmp_path, CLASSES), lambda: people.begin(tmp_path, session())):
        with pytest.raises(FoolingError):
            attempt()
    assert target.read_text() == "precious"
    path.unlink()
    people.begin(tmp_path, session())
    monkeypatch.setattr(people, "LONGEST", path.stat().st_size + 10)
    with pytest.raises(FoolingError, match="full"):
        people.add(tmp_path, CLASSES, answer(0, 1))
    assert people.read(tmp_path, CLASSES).answers == ()
    monkeypatch.setattr(people, "LONGEST", 10)
    with pytest.raises(InvalidError, match="at most 10 bytes"):
        people.read(tmp_path, CLASSES)


def test_many_may_answer_at_once(tmp_path: Path) -> None:
    """A failure tears lines of people who answer at the same time."""
    ids = [f"{number:032x}" for number in range(8)]

    def sit(id: str) -> None:
        people.begin(tmp_path, session(id))
        for trial in range(3):
            people.add(tmp_path, CLASSES, answer(trial, trial, id))

    threads = [threading.Thread(target=sit, args=(id,)) for id in ids]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    told = people.read(tmp_path, CLASSES)
    assert told.damaged == 0
    assert {id: dict(told.given(id)) for id in ids} == {id: {0: 0, 1: 1, 2: 2} for id in ids}


def test_nothing_is_written_where_the_run_is_gone(tmp_path: Path) -> None:
    """A failure makes a folder of a run that was deleted."""
    with pytest.raises(NotFoundError, match="deleted"):
        people.begin(tmp_path / "gone", session())
    assert list(tmp_path.iterdir()) == []
