"""The run's log: `events.jsonl`, one object a line, flushed at each generation and cut back at a resume."""

from __future__ import annotations

import json
import os
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from fooling.errors import InvalidError
from fooling.text import encoded
from fooling.untrusted import checked, open_plain, parse_json, read_plain
from fooling.validation import Stored

LONGEST = 2**30  # bytes of a log; 20,000 generations of 1,000 classes may take 200 MB
_Count = Annotated[int, Field(ge=0, le=2**62)]
_Number = Annotated[float, Field(ge=0, le=1e18)]
_Gain = Annotated[tuple[_Count, Annotated[float, Field(ge=0, le=1)]], Field(strict=False)]


class Event(Stored):
    """A line of the log; others may be beside the keys that readers use."""

    event: Annotated[str, Field(max_length=64)]
    generation: Annotated[int, Field(ge=-1, lt=2**31)] = -1
    reason: str = ""


class Generation(Event):
    """What is logged after a generation."""

    generation: Annotated[int, Field(ge=0, lt=2**31)]
    evaluations: _Count
    seconds: _Number
    median: _Number = 0.0
    mean: _Number = 0.0
    min: _Number = 0.0
    max: _Number = 0.0
    at_least_99: Annotated[_Count, Field(alias="at_least_0.99")] = 0
    at_least_9999: Annotated[_Count, Field(alias="at_least_0.9999")] = 0
    replacements: _Count = 0
    goal_switches: _Count = 0
    gains: list[_Gain] = []  # noqa: RUF012 (pydantic copies it)
    number: Annotated[_Count, Field(alias="class")] = 0
    passes: _Count = 0


class Appender:
    """A file that only grows, and knows its length."""

    def __init__(self, path: Path) -> None:
        # Unbuffered: after a failed write nothing is left that closing would try to write again.
        self._file = open(path, "ab", buffering=0)

    @property
    def length(self) -> int:
        """Bytes in the file."""
        return self._file.tell()

    def append(self, data: bytes) -> None:
        """Add bytes and hand them to the system."""
        left = memoryview(data)
        while left:
            left = left[self._file.write(left) :]

    def event(self, record: dict[str, Any]) -> None:
        """Add an event as a line of JSON."""
        self.append(encoded(json.dumps(record, ensure_ascii=False) + "\n"))

    def sync(self) -> None:
        """Make what was added durable."""
        os.fsync(self._file.fileno())

    def close(self) -> None:
        self._file.close()


def read(path: Path, length: int | None = None) -> list[dict[str, Any]]:
    """The whole events of a log; a last line that was torn by a crash is left out.

    Args:
        length: only those in so many bytes: up to a checkpoint.

    Raises:
        InvalidError: it is not there, or a line of it is no event: naming the line and the field.
    """
    try:
        lines = read_plain(path, LONGEST)[:length].splitlines()
    except OSError as error:
        raise InvalidError(f"{path}: expected the log of the run: {error.strerror or error}") from None
    events: list[dict[str, Any]] = []
    for number, line in enumerate(lines, 1):
        try:
            events.append(_parsed(line, f"{path}: line {number}"))
        except InvalidError:
            if number < len(lines):
                raise
    return events


def ends_at(path: Path, length: int) -> bool:
    """Whether a line of a log ends after so many bytes."""
    with open_plain(path) as file:
        file.seek(max(0, length - 1))
        return length == 0 or file.read(1) == b"\n"


def generations(log: list[dict[str, Any]], classes: int, path: Path) -> list[dict[str, Any]]:
    """The generations of a run with so many classes, in their order.

    Raises:
        InvalidError: naming `path`: they don't follow each other, or tell of a class that there isn't.
    """
    found = [event for event in log if event["event"] == "generation"]
    for event in found:
        highest = max([*(number for number, _ in event.get("gains", ())), int(event.get("class", 0))])
        if highest >= classes:
            raise InvalidError(
                f"{path}: generation {event['generation']}: expected classes below {classes}, found {highest}"
            )
    for before, after in pairwise(found):
        for key in ("generation", "evaluations", "seconds"):
            if after[key] < before[key] or (key == "generation" and after[key] == before[key]):
                raise InvalidError(
                    f"{path}: {key}: expected numbers that rise, found {after[key]} after {before[key]}"
                )
    return found


def _parsed(line: bytes, where: str) -> dict[str, Any]:
    found = parse_json(line, where)
    if not isinstance(found, dict):
        raise InvalidError(f"{where}: expected an object, found {str(found)[:40]!r}")
    checked(Generation if found.get("event") == "generation" else Event, found, where)
    return found
