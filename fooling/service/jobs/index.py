"""The index of a folder: a SQLite cache of what its directories say, in WAL mode, so that lists and filters take
milliseconds and several servers share it. It can be deleted at any time: whoever has it open notices, and fills a new
one."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from fooling.errors import InvalidError
from fooling.service.jobs.finding import Found, Query, find
from fooling.service.jobs.models import Job, Page, State

T = TypeVar("T")
_VERSION = 4
_SCHEMA = """
CREATE TABLE IF NOT EXISTS jobs (
    id TEXT PRIMARY KEY, created REAL NOT NULL, state TEXT NOT NULL, kind TEXT NOT NULL, model TEXT NOT NULL,
    label TEXT NOT NULL, text TEXT NOT NULL, ours INTEGER NOT NULL, directory TEXT NOT NULL, stamp TEXT NOT NULL,
    pace TEXT NOT NULL, evaluations INTEGER NOT NULL, seconds REAL NOT NULL, first INTEGER NOT NULL, body TEXT NOT NULL,
    name TEXT NOT NULL, encoding TEXT NOT NULL, search TEXT NOT NULL, median REAL, tick INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS by_time ON jobs (created DESC, id DESC);
CREATE INDEX IF NOT EXISTS by_state ON jobs (state, created DESC, id DESC);
CREATE INDEX IF NOT EXISTS by_pace ON jobs (pace, created DESC) WHERE seconds > 0;
CREATE INDEX IF NOT EXISTS by_tick ON jobs (tick);
CREATE TABLE IF NOT EXISTS clock (tick INTEGER NOT NULL);
"""
# Each change of rows has a number, its tick, higher than any before, also than those of a database that is gone.
_NEXT = "UPDATE clock SET tick = tick + 1"
_COLUMNS = 19


@dataclass(frozen=True)
class Entry:
    """A row.

    Attributes:
        job: what is listed.
        stamp: of the files that it was made from, so that a change of them is noticed.
        first: whether it goes on before all that wait.
    """

    job: Job
    stamp: str
    first: bool = False


class Index:
    """The open index. Every method may be called from any thread."""

    def __init__(self, path: Path) -> None:
        self._path, self._guard = path, threading.RLock()
        self._connection: sqlite3.Connection | None = None
        self._inode = 0
        self.opened = (
            0  # how often it was opened; whoever relies on it being full looks whether that has changed
        )

    def close(self) -> None:
        """Close the file; the next call opens it again."""
        with self._guard:
            if self._connection is not None:
                self._connection.close()
            self._connection = None

    def put(self, entries: Iterable[Entry]) -> None:
        """Add rows, in place of older ones of the same ids."""
        rows = [_row(entry) for entry in entries]
        marks = ", ".join("?" * _COLUMNS)
        insert = f"INSERT OR REPLACE INTO jobs VALUES ({marks}, (SELECT tick FROM clock))"
        if rows:
            self._do(lambda db: (db.execute(_NEXT), db.executemany(insert, rows)))

    def remove(self, ids: Iterable[str]) -> None:
        """Drop rows."""
        rows = [(id,) for id in ids]
        if rows:
            self._do(lambda db: (db.execute(_NEXT), db.executemany("DELETE FROM jobs WHERE id = ?", rows)))

    def stamps(self, ours: bool) -> dict[str, tuple[str, str, str]]:
        """By id: the directory, the state and the stamp of the rows that are ours, or of the others."""
        query = "SELECT id, directory, state, stamp FROM jobs WHERE ours = ?"
        rows = self._do(lambda db: db.execute(query, (ours,)).fetchall())
        return {id: (directory, state, stamp) for id, directory, state, stamp in rows}

    def directory(self, id: str) -> str | None:
        """Of a row, below the root."""
        row = self._do(lambda db: db.execute("SELECT directory FROM jobs WHERE id = ?", (id,)).fetchone())
        return row[0] if row else None

    def ours_in(self, states: Iterable[State]) -> list[tuple[str, bool, float]]:
        """Id, whether it goes first, and time of creation of the jobs in these states."""
        wanted = [str(state) for state in states]
        marks = ", ".join("?" * len(wanted))
        query = f"SELECT id, first, created FROM jobs WHERE ours = 1 AND state IN ({marks})"
        rows = self._do(lambda db: db.execute(query, wanted).fetchall())
        return [(id, bool(first), created) for id, first, created in rows]

    def tick(self) -> int:
        """The number of the last change."""
        return int(self._do(lambda db: db.execute("SELECT tick FROM clock").fetchone())[0])

    def changed(self, since: int) -> tuple[int, int, list[tuple[str, str]]]:
        """What has changed after a tick.

        Returns:
            The tick now; how many rows there are; id and body (`job_from`) of those that were put since.
        """
        return self._do(
            lambda db: (
                int(db.execute("SELECT tick FROM clock").fetchone()[0]),
                int(db.execute("SELECT count(*) FROM jobs").fetchone()[0]),
                db.execute("SELECT id, body FROM jobs WHERE tick > ? ORDER BY tick", (since,)).fetchall(),
            )
        )

    def find(self, query: Query, offset: int, limit: int) -> Found:
        """Jobs that are wanted, from a place in their list on."""
        return self._do(lambda db: find(db, query, offset, limit))

    def jobs(self, ids: Sequence[str]) -> list[Job]:
        """Those of these ids that there are, in the same order."""
        marks = ", ".join("?" * len(ids))
        query = f"SELECT id, body FROM jobs WHERE id IN ({marks})"
        found = dict(self._do(lambda db: db.execute(query, list(ids)).fetchall()))
        return [job_from(found[id]) for id in ids if id in found]

    def ids(self) -> set[str]:
        """Of all rows."""
        return {id for (id,) in self._do(lambda db: db.execute("SELECT id FROM jobs").fetchall())}

    def rate(self, pace: str, most: int = 5) -> float | None:
        """Images per second in the newest runs of the same pace (`pace_of`): their median."""
        query = "SELECT evaluations / seconds FROM jobs WHERE pace = ? AND seconds > 0 ORDER BY created DESC LIMIT ?"
        rows = sorted(row[0] for row in self._do(lambda db: db.execute(query, (pace, most)).fetchall()))
        return rows[len(rows) // 2] if rows else None

    def classes(self, model: str) -> int | None:
        """Of a classifier, as the newest run on it that tells says."""
        query = (
            "SELECT json_extract(body, '$.classes') AS found FROM jobs WHERE model = ? AND found IS NOT NULL "
            "ORDER BY created DESC LIMIT 1"
        )
        row = self._do(lambda db: db.execute(query, (model,)).fetchone())
        return int(row[0]) if row else None

    def page(self, filters: dict[str, Any], q: str | None, limit: int, cursor: str | None) -> Page:
        """A part of a list, newest first.

        Args:
            filters: columns and the values that they have to have; the kind "study" is any but "run".
            q: text that is in name, label or model.

        Raises:
            InvalidError: the cursor is none of ours.
        """
        where, values = ["1"], list[Any]()
        for column, value in filters.items():
            is_any_study = (column, value) == ("kind", "study")
            where.append("kind != ?" if is_any_study else f"{column} = ?")
            values.append("run" if is_any_study else value)
        if q:
            where.append("instr(text, ?) > 0")
            values.append(q.casefold())
        counted = f"SELECT count(*) FROM jobs WHERE {' AND '.join(where)}"
        counted_values = list(values)
        if cursor is not None:
            where.append("(created, id) < (?, ?)")
            values.extend(_position(cursor))
        listed = (
            f"SELECT body, created, id FROM jobs WHERE {' AND '.join(where)} "
            "ORDER BY created DESC, id DESC LIMIT ?"
        )
        total, rows = self._do(
            lambda db: (
                db.execute(counted, counted_values).fetchone()[0],
                db.execute(listed, [*values, limit + 1]).fetchall(),
            )
        )
        more = len(rows) > limit
        items = [job_from(body) for body, _, _ in rows[:limit]]
        return Page(items=items, next=_cursor(*rows[limit - 1][1:]) if more else None, total=total)

    def _do(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Work in a transaction of the index; of a new one, where the old one is gone or damaged."""
        with self._guard:
            try:
                return self._attempt(work)
            except sqlite3.OperationalError as error:
                if "locked" in str(
                    error
                ):  # by another server, for longer than the patience: nothing is wrong
                    raise
            except sqlite3.DatabaseError:
                pass
            self.close()
            for ending in ("-wal", "-shm", ""):
                self._path.with_name(self._path.name + ending).unlink(missing_ok=True)
            return self._attempt(work)

    def _attempt(self, work: Callable[[sqlite3.Connection], T]) -> T:
        connection = self._opened()
        with connection:
            return work(connection)

    def _opened(self) -> sqlite3.Connection:
        try:
            inode = os.stat(self._path).st_ino
        except FileNotFoundError:
            inode = 0
        if self._connection is not None and inode == self._inode:
            return self._connection
        self.close()
        if not inode:  # what belongs to a database that is gone would damage a new one
            for ending in ("-wal", "-shm"):
                self._path.with_name(self._path.name + ending).unlink(missing_ok=True)
        connection = sqlite3.connect(self._path, timeout=10, check_same_thread=False)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = OFF")  # a cache: what a power cut takes is made again
            connection.execute("PRAGMA trusted_schema = OFF")
            if connection.execute("PRAGMA user_version").fetchone()[0] != _VERSION:
                connection.executescript(
                    "BEGIN IMMEDIATE; DROP TABLE IF EXISTS jobs; DROP TABLE IF EXISTS clock;"
                    f"{_SCHEMA} INSERT INTO clock VALUES ({time.time_ns()});"
                    f"PRAGMA user_version = {_VERSION}; COMMIT;"
                )
            with contextlib.suppress(OSError):
                os.chmod(self._path, 0o600)
        except BaseException:
            connection.close()
            raise
        self._connection, self._inode = connection, os.stat(self._path).st_ino
        self.opened += 1
        return connection


def job_from(body: str) -> Job:
    """The job that a row is of."""
    return Job.model_validate_json(body)


def pace_of(model: str, encoding: str, search: str) -> str:
    """What the speed of a run depends on, as far as it is known before it starts."""
    return json.dumps([model, encoding, search])


def _row(entry: Entry) -> tuple[Any, ...]:
    job = entry.job
    body = json.dumps({**job.model_dump(mode="json"), "directory": job.directory})
    text = "\n".join((job.name, job.label, job.model)).casefold()
    return (
        job.id,
        job.created.timestamp(),
        str(job.state),
        job.kind,
        job.model,
        job.label,
        text,
        job.ours,
        job.directory,
        entry.stamp,
        pace_of(job.model, job.encoding, job.search) if job.kind == "run" else "",
        job.progress.evaluations,
        job.progress.seconds,
        entry.first,
        body,
        job.name,
        job.encoding,
        job.search,
        job.progress.median,
    )


def _cursor(created: float, id: str) -> str:
    return base64.urlsafe_b64encode(json.dumps([created, id]).encode()).decode().rstrip("=")


def _position(cursor: str) -> tuple[float, str]:
    wrong = InvalidError(f"cursor: expected one that a list gave as `next`, found {cursor[:40]!r}")
    if len(cursor) > 200:
        raise wrong
    try:
        found = json.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
        created, id = found
        if not isinstance(created, float) or not isinstance(id, str) or created != created:
            raise wrong
    except (ValueError, TypeError, RecursionError):
        raise wrong from None
    return created, id
