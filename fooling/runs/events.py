"""The run's log: `events.jsonl`, one object a line, flushed at each generation and cut back at a resume."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any


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

    def event(self, kind: str, **fields: Any) -> None:
        """Add an event as a line of JSON."""
        self.append((json.dumps({"event": kind, **fields}, ensure_ascii=False) + "\n").encode())

    def sync(self) -> None:
        """Make what was added durable."""
        os.fsync(self._file.fileno())

    def close(self) -> None:
        self._file.close()


def read(path: Path) -> list[dict[str, Any]]:
    """The whole events of a log; a last line that was torn by a crash is left out."""
    events = []
    for line in path.read_bytes().splitlines():
        try:
            events.append(json.loads(line))
        except ValueError:
            break
    return events
