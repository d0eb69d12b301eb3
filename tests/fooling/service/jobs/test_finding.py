"""Filters, counts, orders and pages of the list of runs."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from fooling.service.jobs.finding import FACETS, ORDERS, Found, Query
from fooling.service.jobs.index import Entry, Index
from fooling.service.jobs.models import Job, Progress, State

KEYS: dict[str, Any] = {
    "newest": lambda job: -job.created.timestamp(),
    "oldest": lambda job: job.created,
    "name": lambda job: job.name.lower(),
    "model": lambda job: job.model.lower(),
    "confidence": lambda job: -(job.progress.median if job.progress.median is not None else -1),
    "evaluations": lambda job: -job.progress.evaluations,
}


@pytest.fixture(scope="module")
def jobs() -> list[Job]:
    draw = random.Random(0)
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    return [
        Job(
            id=f"{number:020x}",
            kind="run" if number % 10 else "transfer",
            state=draw.choice(list(State)),
            name=f"{draw.choice('aBc')}-{number}",
            label=draw.choice(["", "", "mine"]),
            model=draw.choice(["builtin:lenet", "builtin:mlp", "timm:Resnet"]),
            encoding=draw.choice(["cppn", "direct"]),
            search=draw.choice(["map-elites", "gradient-ascent"]),
            created=begin + timedelta(seconds=draw.randrange(40)),
            progress=Progress(evaluations=draw.randrange(5), median=draw.choice([None, 0.5, 0.9])),
        )
        for number in range(101)
    ]


@pytest.fixture(scope="module")
def index(jobs: list[Job], tmp_path_factory: pytest.TempPathFactory) -> Index:
    made = Index(tmp_path_factory.mktemp("found") / "index.sqlite")
    made.put([Entry(job, "") for job in jobs])
    return made


def whole(index: Index, query: Query) -> list[Job]:
    """All pages, one after the other."""
    found: list[Job] = []
    while items := index.find(query, len(found), 7).items:
        found += items
    return found


@pytest.mark.parametrize("order", list(ORDERS))
def test_pages_are_the_whole_list_in_order(index: Index, jobs: list[Job], order: str) -> None:
    """A failure hides runs between two pages, or shows them twice."""
    found = whole(index, Query(order=order))
    assert {job.id for job in found} == {job.id for job in jobs if job.kind == "run"}
    assert len(found) == len({job.id for job in found}) == 90
    values = [KEYS[order](job) for job in found]
    assert values == sorted(values)


def test_filters_and_counts(index: Index, jobs: list[Job]) -> None:
    """A failure shows other runs than the counts promise, or counts what a click would not show."""
    runs = [job for job in jobs if job.kind == "run"]
    chosen = {"state": ("running", "failed"), "encoding": ("cppn",)}
    query = Query(q="-1", chosen=chosen)

    def passes(job: Job, but: str = "") -> bool:
        return "-1" in job.name and all(
            str(getattr(job, name)) in values for name, values in chosen.items() if name != but
        )

    found: Found = index.find(query, 0, 1000)
    assert {job.id for job in found.items} == {job.id for job in runs if passes(job)}
    assert (found.total, found.everything) == (len(found.items), len(runs))
    for name in FACETS:
        counts = dict(found.counts[name])
        assert "" not in counts
        assert sum(counts.values()) == sum(passes(job, name) for job in runs if getattr(job, name))
        for value, count in counts.items():
            assert count == sum(passes(job, name) and str(getattr(job, name)) == value for job in runs)


def test_text_is_no_pattern(index: Index) -> None:
    """A failure lets a search run for ever, or find what was not written."""
    assert index.find(Query(q="%"), 0, 10).total == 0
    assert index.find(Query(q="RESNET"), 0, 10).total > 0
    assert index.find(Query(chosen={"model": ("' OR 1=1 --",)}), 0, 10).total == 0
