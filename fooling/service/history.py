"""What a run's log tells of its way, kept while it grows: the curve, the newest replacements, and what happened besides.

A page asks for it again and again while the run goes on; only what was added to the log since is read.
"""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from pathlib import Path
from typing import Any

from fooling.present.wall import Step, step_of
from fooling.service.live import Follower, Told
from fooling.service.schema import History, Notice, Replacement

_ROWS = 1000  # of a curve: more can't be told apart
_REPLACEMENTS, _NOTICES = 40, 100
_QUIET = frozenset({"generation", "checkpointing", "checkpoint"})
_WORDS = ("reason", "text", "message", "detail")


class _Watched:
    """One log."""

    def __init__(self, path: Path) -> None:
        self._follower = Follower(path)
        self._rows: list[Step] = []
        self._last: Step | None = None  # where it moved nothing, it is the end of the staircase all the same
        self._replacements: deque[Replacement] = deque(maxlen=_REPLACEMENTS)
        self._notices: deque[Notice] = deque(maxlen=_NOTICES)
        self._lock = threading.Lock()

    def now(self) -> History:
        with self._lock:
            while batch := self._follower.look():
                for told in batch:
                    self._take(told)
            rows = [*self._rows, self._last] if self._last is not None else list(self._rows)
            return History(
                generation=int(rows[-1][0] or 0) if rows else -1,
                curve=[rows[round(n * (len(rows) - 1) / (_ROWS - 1))] for n in range(_ROWS)]
                if len(rows) > _ROWS
                else rows,
                replacements=list(self._replacements)[::-1],
                notices=list(self._notices)[::-1],
            )

    def _take(self, told: Told) -> None:
        if told.kind == "generation":
            row = step_of(told.data)
            moved = not self._rows or row[2:] != self._rows[-1][2:]
            if moved:
                self._rows.append(row)
            self._last = None if moved else row
            generation = told.id.generation
            self._replacements += [
                Replacement(generation=generation, number=number, confidence=confidence)
                for number, confidence in told.data.get("gains", ())
            ]
        elif told.kind not in _QUIET:
            self._notices.append(_notice(told))


class Histories:
    """The histories of the runs that were asked for last. May be used from any thread."""

    def __init__(self, most: int = 32) -> None:
        self._most = most
        self._watched: OrderedDict[tuple[str, Path], _Watched] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, id: str, path: Path) -> History:
        """The history of a run, whose log is at `path`; it may not be there yet.

        Raises:
            InvalidError: the log is damaged.
        """
        with self._lock:
            watched = self._watched.setdefault((id, path), _Watched(path))
            self._watched.move_to_end((id, path))
            while len(self._watched) > self._most:
                self._watched.popitem(last=False)
        return watched.now()


def _notice(told: Told) -> Notice:
    """An event in words: its name, and what else it says that is short."""
    words: list[str] = [str(told.data[name]) for name in _WORDS if told.data.get(name)]
    if not words:
        words = [f"{name} {value}" for name, value in told.data.items() if _is_short(name, value)]
    return Notice(
        id=str(told.id), event=told.kind, generation=max(-1, told.id.generation), text="; ".join(words)[:500]
    )


def _is_short(name: str, value: Any) -> bool:
    return name not in ("event", "generation", "time") and isinstance(value, str | int | float | bool)
