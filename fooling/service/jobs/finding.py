"""Finding jobs in the index: filters of several values, counts for each value, orders, and any page of any list."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from fooling.service.jobs.models import Job

FACETS = ("state", "model", "encoding", "search", "label")
# Equals are in the order of their ids, so that no job is on two pages.
ORDERS = {
    "newest": "created DESC, id DESC",
    "oldest": "created, id",
    "name": "name COLLATE NOCASE, id",
    "model": "model COLLATE NOCASE, created DESC, id DESC",
    "confidence": "median DESC, created DESC, id DESC",
    "evaluations": "evaluations DESC, created DESC, id DESC",
}
MOST_VALUES = 100  # of a facet


@dataclass(frozen=True)
class Query:
    """Which jobs.

    Attributes:
        kind: "run", the name of a study, or "study" for any.
        q: text that is in the name, the label or the model, upper and lower case alike; "" for any.
        chosen: by facet, the values of which a job has to have one.
        order: one of `ORDERS`.
    """

    kind: str = "run"
    q: str = ""
    chosen: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    order: str = "newest"

    def condition(self) -> tuple[str, list[Any]]:
        """In SQL, with its values."""
        parts, values = ["kind != 'run'" if self.kind == "study" else "kind = ?"], list[Any]()
        if self.kind != "study":
            values.append(self.kind)
        if self.q:
            parts.append("instr(text, ?) > 0")
            values.append(self.q.casefold())
        for name in FACETS:
            if wanted := self.chosen.get(name):
                parts.append(f"{name} IN ({', '.join('?' * len(wanted))})")
                values.extend(wanted)
        return " AND ".join(parts), values


@dataclass(frozen=True)
class Found:
    """A page of a list, and what one could choose.

    Attributes:
        items: the jobs.
        total: how many there are on all pages.
        everything: how many there are of this kind without any filter.
        counts: for each facet its values and how many jobs have each, the most frequent first; each facet obeys the
            other filters, not its own. At most `MOST_VALUES` of each.
    """

    items: list[Job]
    total: int
    everything: int
    counts: dict[str, list[tuple[str, int]]]


def find(db: sqlite3.Connection, query: Query, offset: int, limit: int) -> Found:
    """A page of the jobs that are wanted."""
    where, values = query.condition()
    total = db.execute(f"SELECT count(*) FROM jobs WHERE {where}", values).fetchone()[0]
    listed = f"SELECT body FROM jobs WHERE {where} ORDER BY {ORDERS[query.order]} LIMIT ? OFFSET ?"
    rows = db.execute(listed, [*values, limit, offset]).fetchall()
    bare, given = Query(query.kind).condition()
    everything = db.execute(f"SELECT count(*) FROM jobs WHERE {bare}", given).fetchone()[0]
    items = [Job.model_validate_json(body) for (body,) in rows]
    return Found(items, total, everything, {name: _counts(db, query, name) for name in FACETS})


def _counts(db: sqlite3.Connection, query: Query, facet: str) -> list[tuple[str, int]]:
    others = {name: values for name, values in query.chosen.items() if name != facet}
    where, values = replace(query, chosen=others).condition()
    counted = (
        f"SELECT {facet}, count(*) AS found FROM jobs WHERE {where} AND {facet} != '' "
        f"GROUP BY {facet} ORDER BY found DESC, {facet} LIMIT {MOST_VALUES}"
    )
    return db.execute(counted, values).fetchall()
