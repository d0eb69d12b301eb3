"""The book of a simulated service: every query, in its order, with what was answered and what the service saw.

It is one SQLite file. A query is written down before it is sent, and its answer before it is used, so a search that was
killed goes on with the same answers and is billed for none of them again.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_SCHEMA = """
CREATE TABLE IF NOT EXISTS queries (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    key BLOB NOT NULL UNIQUE,
    classes BLOB, scores BLOB, prints BLOB, margin REAL,
    attempts INTEGER NOT NULL DEFAULT 0
)
"""


@dataclass(frozen=True)
class Entry:
    """A query that was answered.

    Attributes:
        classes, scores: what was said (`fooling.studies.audit.black_box.restriction.Said`), (k,) each.
        prints: (m,) uint64, the image's fingerprints, as the service saw it.
        margin: between its two highest confidences.
        attempts: how often it was sent until there was an answer.
    """

    classes: NDArray[np.int32]
    scores: NDArray[np.float32]
    prints: NDArray[np.uint64]
    margin: float
    attempts: int


@dataclass(frozen=True)
class Count:
    """What was spent.

    Attributes:
        billed: queries that were answered, or are under way.
        sent: requests, those among them that failed.
    """

    billed: int
    sent: int


class Book:
    """Queries on disk; may be used from several threads."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._database = sqlite3.connect(path, check_same_thread=False)
        with self._lock, self._database:
            # What is written survives the death of this process; a power failure may cost the last answers, no more.
            self._database.execute("PRAGMA journal_mode = WAL")
            self._database.execute("PRAGMA synchronous = NORMAL")
            self._database.execute(_SCHEMA)

    def answered(self, keys: Sequence[bytes]) -> dict[bytes, Entry]:
        """The answers that are known, by key."""
        found = {}
        with self._lock:
            for key in keys:
                row = self._database.execute(
                    "SELECT classes, scores, prints, margin, attempts FROM queries "
                    "WHERE key = ? AND classes IS NOT NULL",
                    (key,),
                ).fetchone()
                if row is not None:
                    found[key] = _entry(row)
        return found

    def reserve(self, keys: Sequence[bytes], budget: int) -> bool:
        """Write down queries that are about to be sent, those that are not there yet: all of them, or, where the budget
        has no room for all, none."""
        with self._lock, self._database:
            before = self._count()
            self._database.executemany(
                "INSERT OR IGNORE INTO queries (key) VALUES (?)", [(key,) for key in keys]
            )
            if self._count() <= max(budget, before):
                return True
            self._database.rollback()
            return False

    def keep(self, entries: dict[bytes, Entry]) -> None:
        """Write down answers."""
        rows = [
            (
                entry.classes.astype("<i4").tobytes(),
                entry.scores.astype("<f4").tobytes(),
                entry.prints.astype("<u8").tobytes(),
                entry.margin,
                entry.attempts,
                key,
            )
            for key, entry in entries.items()
        ]
        with self._lock, self._database:
            self._database.executemany(
                "UPDATE queries SET classes = ?, scores = ?, prints = ?, margin = ?, attempts = ? WHERE key = ?",
                rows,
            )

    def release(self, keys: Sequence[bytes]) -> None:
        """Strike out queries that never got an answer: nobody bills them."""
        with self._lock, self._database:
            self._database.executemany(
                "DELETE FROM queries WHERE key = ? AND classes IS NULL", [(key,) for key in keys]
            )

    def entries(self) -> list[Entry]:
        """All answers, in the order in which they were asked for."""
        with self._lock:
            rows = self._database.execute(
                "SELECT classes, scores, prints, margin, attempts FROM queries WHERE classes IS NOT NULL "
                "ORDER BY number"
            ).fetchall()
        return [_entry(row) for row in rows]

    @property
    def count(self) -> Count:
        """What was spent."""
        with self._lock:
            sent = self._database.execute("SELECT coalesce(sum(attempts), 0) FROM queries").fetchone()[0]
            return Count(self._count(), sent)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._database.close()

    def _count(self) -> int:
        found: int = self._database.execute("SELECT count(*) FROM queries").fetchone()[0]
        return found


def _entry(row: tuple[bytes, bytes, bytes, float, int]) -> Entry:
    classes, scores, prints, margin, attempts = row
    return Entry(
        np.frombuffer(classes, "<i4").astype(np.int32),
        np.frombuffer(scores, "<f4").astype(np.float32),
        np.frombuffer(prints, "<u8").astype(np.uint64),
        margin,
        attempts,
    )
