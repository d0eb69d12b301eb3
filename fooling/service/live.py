"""A run's log as it grows: each generation once and in order, for a reader that comes late, comes back, or is there while
the log is torn by a crash or cut back by a resume.

An event's id says where it is: PART-GENERATION of a generation, and PART-GENERATION.N of the Nth other event after it.
PART counts the resumes before it, and GENERATION is -1 before the first. A resume goes back to a checkpoint and computes
the same generations once more, which a reader that has them is not told again; until the log is where it was, the ids
of other events end in "-" and the highest generation that the reader has. A byte offset would be no id: the log shrinks.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from fooling.errors import InvalidError
from fooling.store.events import Event
from fooling.untrusted import checked, open_plain, parse_json

_ID = re.compile(r"([0-9]{1,9})-(-1|[0-9]{1,10})(?:\.([0-9]{1,9})(?:-([0-9]{1,10}))?)?")
_BLOCK = 2**18  # bytes that are read at once
_LONGEST_LINE = 2**24  # bytes; a generation of 21,843 classes takes 1 MB


class EventId(NamedTuple):
    """What a reader has: everything up to a place in the log, and generations up to a number.

    Attributes:
        part: resumes before the place.
        generation: the last one before the place; -1: none.
        other: events since then.
        high: the highest generation that the reader has, in this part or an earlier one.
    """

    part: int = 0
    generation: int = -1
    other: int = 0
    high: int = -1

    @property
    def place(self) -> tuple[int, int, int]:
        """Places compare as events follow each other."""
        return self[:3]

    def __str__(self) -> str:
        repeated = f"-{self.high}" if self.high > self.generation else ""
        return f"{self.part}-{self.generation}" + (f".{self.other}{repeated}" if self.other else "")

    @classmethod
    def parse(cls, text: str) -> EventId:
        """
        Raises:
            ValueError: it is no id.
        """
        found = _ID.fullmatch(text)
        if found is None:
            raise ValueError(f"expected an id such as 0-12, found {text[:40]!r}")
        generation = int(found[2])
        return cls(int(found[1]), generation, int(found[3] or 0), max(generation, int(found[4] or -1)))


@dataclass(frozen=True)
class Told:
    """An event of a run.

    Attributes:
        id: see there.
        kind: such as "generation".
        data: the event as the log has it.
    """

    id: EventId
    kind: str
    data: dict[str, Any]


class Follower:
    """Reads a log on and on. It holds no file open between two looks, and of the log only the last line."""

    def __init__(self, path: Path, after: EventId | None = None) -> None:
        """
        Args:
            path: of the log, which may not be there yet.
            after: the last event that the reader has; None: it has none.
        """
        self._path = path
        self._has = after or EventId()
        self._rewind()

    def _rewind(self) -> None:
        self._offset, self._last_line, self._place = 0, b"", EventId().place

    def look(self, most: int = 50) -> list[Told]:
        """The next events, at most so many; none where none were added. A line without its end is left for later.

        Raises:
            InvalidError: a line is no event, or the log is no file.
        """
        found: list[Told] = []
        try:
            file = open_plain(self._path)
        except OSError:
            return found  # not there (yet)
        with file:
            if not self._goes_on(file.fileno()):
                self._rewind()
            rest = b""
            while block := os.pread(file.fileno(), _BLOCK, self._offset + len(rest)):
                *lines, rest = (rest + block).split(b"\n")
                for line in lines:
                    if (told := self._take(line)) is not None:
                        found.append(told)
                        if len(found) == most:
                            return found
                if len(rest) > _LONGEST_LINE:
                    raise InvalidError(
                        f"{self._path.name}: expected lines of at most {_LONGEST_LINE:,} bytes"
                    )
        return found

    def _goes_on(self, descriptor: int) -> bool:
        """Whether the log still has what was read last, where it was read. A resume cuts it back and writes other
        lines, also where it has grown longer than before since the last look: seconds are part of them."""
        length = len(self._last_line)
        return os.pread(descriptor, length, self._offset - length) == self._last_line

    def _take(self, line: bytes) -> Told | None:
        data = parse_json(line, f"{self._path.name}: a line")
        if not isinstance(data, dict):
            raise InvalidError(f"{self._path.name}: expected an object in each line")
        event = checked(Event, data, f"{self._path.name}: a line")
        self._offset += len(line) + 1
        self._last_line = line + b"\n"
        part, generation, other = self._place
        if event.event == "generation":
            self._place = part, event.generation, 0
            new = event.generation > self._has.high
        else:
            resumed = event.event == "resume"
            self._place = (part + 1, event.generation, 1) if resumed else (part, generation, other + 1)
            new = self._place > self._has.place
        if not new:
            return None
        self._has = EventId(*self._place, max(self._has.high, self._place[1]))
        return Told(self._has, event.event, data)


def message(kind: str, data: Any, id: EventId | None = None) -> bytes:
    """A server-sent event. JSON in ASCII has no line breaks, so nothing in it can end the event."""
    head = f"id: {id}\n" if id is not None else ""
    name = re.sub(r"[^\w-]", "", kind)[:64]
    return f"{head}event: {name}\ndata: {json.dumps(data)}\n\n".encode()
