"""The query ledger: what a remote classifier answered, how many queries were sent and what they cost. It is one
SQLite file, shared by all runs (and processes of this machine) that name it.

A query is counted before it is sent and an answer is kept before it is used, each in a transaction of its own
that is on the disk when it returns: whatever dies and whenever, never more than the budget is sent, and what
was answered is not paid again. SQLite's rollback journal, unlike its write-ahead log, also works where the
file lies on another machine's disk, if that locks; measured here, a transaction takes 0.6 ms.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from pathlib import Path

from fooling.classifiers.sources.http.spec import BudgetTable
from fooling.errors import FoolingError, InvalidError

FORMAT = 1
WAIT_SECONDS = 60.0  # for another process's transaction
_SCHEMA = f"""
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS answers (key BLOB PRIMARY KEY, answer TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS spent (one INTEGER PRIMARY KEY CHECK (one = 1), queries INTEGER NOT NULL, cost INTEGER NOT NULL);
INSERT OR IGNORE INTO spent VALUES (1, 0, 0);
PRAGMA user_version = {FORMAT};
COMMIT;
"""
_UNIT = Decimal(10) ** 9  # money is kept in integers, a billionth each


@dataclass(frozen=True)
class Usage:
    """How many queries were sent so far, and what they cost, in the user's currency."""

    queries: int
    cost: float


class Ledger:
    """Answers and budget on disk; may be used from several threads."""

    def __init__(self, path: Path) -> None:
        """
        Raises:
            InvalidError: the file is no ledger.
            FoolingError: the file can't be opened.
        """
        self.path, self._lock = path, threading.Lock()
        with self._explained():
            # Each statement is a transaction.
            self._database = sqlite3.connect(
                path, timeout=WAIT_SECONDS, isolation_level=None, check_same_thread=False
            )
            self._database.execute("PRAGMA synchronous = FULL")
            self._database.execute("PRAGMA journal_mode = TRUNCATE")
            if self._number("PRAGMA user_version") != FORMAT:
                if self._number("SELECT count(*) FROM sqlite_master"):
                    raise InvalidError(
                        f"{path}: expected a query ledger, format {FORMAT}, found another file"
                    )
                self._database.executescript(_SCHEMA)

    def answer(self, key: bytes) -> str | None:
        """The answer that is kept under a key; None where there is none."""
        with self._explained():
            row = self._database.execute("SELECT answer FROM answers WHERE key = ?", (key,)).fetchone()
        return row[0] if row else None

    def keep(self, key: bytes, answer: str) -> None:
        """Keep an answer."""
        with self._explained():
            self._database.execute("INSERT OR REPLACE INTO answers VALUES (?, ?)", (key, answer))

    def reserve(self, budget: BudgetTable) -> bool:
        """Count a query that is about to be sent; False, and nothing is counted, where the budget has no room
        for it."""
        price = _units(budget.price, ROUND_CEILING)
        most = (
            2**62 if budget.queries is None else budget.queries,
            2**62 if budget.cost is None else _units(budget.cost, ROUND_FLOOR),
        )
        with self._explained():
            done = self._database.execute(
                "UPDATE spent SET queries = queries + 1, cost = cost + ? WHERE queries + 1 <= ? AND cost + ? <= ?",
                (price, most[0], price, most[1]),
            )
            return done.rowcount == 1

    @property
    def usage(self) -> Usage:
        """Usage by all runs that share the ledger."""
        with self._explained():
            queries, cost = self._database.execute("SELECT queries, cost FROM spent").fetchone()
        return Usage(queries, float(cost / _UNIT))

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._database.close()

    def _number(self, statement: str) -> int:
        return self._database.execute(statement).fetchone()[0]

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """One thread at a time, and SQLite's failures in one line."""
        with self._lock:
            try:
                yield
            except sqlite3.OperationalError as error:  # locked, full, read-only
                raise FoolingError(f"{self.path}: the query ledger can't be used: {error}") from None
            except sqlite3.DatabaseError as error:
                raise InvalidError(f"{self.path}: expected a query ledger (SQLite): {error}") from None


def _units(money: float, rounding: str) -> int:
    """An amount of money in billionths, rounded from the decimal digits that the user wrote."""
    return int((Decimal(repr(float(money))) * _UNIT).to_integral_value(rounding))
