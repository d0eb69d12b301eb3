"""The page that shows runs beside each other, class by class, also while they are computed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from fastapi import APIRouter, Query

from fooling.service.context import Context, Shared
from fooling.service.pages.drawing import page
from fooling.service.pages.naming import name_of
from fooling.service.problems import ProblemError, data_without_paths
from fooling.service.routes.runs import page_of
from fooling.service.schema import Answer, Job
from fooling.studies.compare.groups import told_apart

if TYPE_CHECKING:
    from fooling.store.snapshot import Snapshot

router = APIRouter()
MOST = 12  # runs beside each other
_OFFERED = 12  # runs to choose among
_LOOKED_AT = 200  # of the newest comparisons
Runs = Annotated[
    str,
    Query(
        pattern=rf"^([0-9a-f]{{20}}(,[0-9a-f]{{20}}){{0,{MOST - 1}}})?$",
        description=f"ids of up to {MOST} runs, joined by commas",
    ),
]


class Setting(Answer):
    """A setting in which the runs differ."""

    key: str
    values: list[str | None]


class Compared(Answer):
    """Runs beside each other.

    Attributes:
        runs: as asked, without those that are gone.
        shown: the ids of the runs that have begun, which are those of `wall`, in its order.
        gone: how many of those that were asked for are not there.
        wall: what the wall is drawn from, but the elites, which the API tells; null before a run has begun.
        settings: in which the runs differ.
        highest: in how many classes each run is higher than all others, of those that all have an elite of.
        equal: in how many of these no run is.
        study: the newest comparison of exactly these runs.
        result: what that study found.
        newest: runs to choose among, while fewer than two are compared.
    """

    runs: list[Job]
    shown: tuple[str, ...] = ()
    gone: int = 0
    wall: dict[str, Any] | None = None
    settings: tuple[Setting, ...] = ()
    highest: tuple[int, ...] = ()
    equal: int = 0
    study: Job | None = None
    result: dict[str, Any] | None = None
    newest: tuple[Job, ...] = ()


@page(router, "/compare", "compare.html.j2")
def compared(shared: Shared, runs: Runs = "") -> Compared:
    """Runs by their newest checkpoints."""
    ids = list(dict.fromkeys(id for id in runs.split(",") if id))
    jobs = [job for id in ids if (job := _job(shared, id)) is not None]
    found: dict[str, Any] = {"runs": jobs, "gone": len(ids) - len(jobs)}
    readings = [(job, reading) for job in jobs if (reading := shared.reader.reading(job.id)) is not None]
    if len(readings) > 0:
        found |= _beside(shared, [job for job, _ in readings], [reading.view for _, reading in readings])
    if len(jobs) < 2:
        newest = page_of(shared, "run", None, None, None, None, _OFFERED + 1, None)
        found["newest"] = tuple(job for job in newest.items if job.id not in ids)[:_OFFERED]
    else:
        found |= _tested(shared, {job.id for job in jobs})
    return Compared(**found)


def _job(shared: Context, id: str) -> Job | None:
    try:
        return shared.reader.job(id, "run")
    except ProblemError as problem:
        if problem.status == 404:
            return None
        raise


def _beside(shared: Context, jobs: list[Job], views: list[Snapshot]) -> dict[str, Any]:
    """What is drawn of runs that have begun."""
    from fooling.present.wall import WORDS, head

    with shared.reader.explained():
        runs = [{**head(view, name_of(job)), "id": job.id} for job, view in zip(jobs, views, strict=True)]
        settings = tuple(Setting(key=key, values=values) for key, values in told_apart(views))
    highest, equal = _highest(views)
    return {
        "shown": tuple(job.id for job in jobs),
        "wall": data_without_paths({**WORDS, "runs": runs}, str(shared.settings.root)),
        "settings": settings,
        "highest": highest,
        "equal": equal,
    }


def _highest(views: list[Snapshot]) -> tuple[tuple[int, ...], int]:
    """In how many classes each run is the only one of the highest confidence, and in how many none is; of the classes that
    all have an elite of. Runs on other classes have none in common."""
    if len({view.labels for view in views}) > 1:
        return (0,) * len(views), 0
    table = np.array([view.confidence for view in views])
    table = table[:, ~np.isnan(table).any(axis=0)]
    best = table == table.max(axis=0, initial=0)
    alone = best.sum(axis=0) == 1
    return tuple(int((row & alone).sum()) for row in best), int((~alone).sum())


def _tested(shared: Context, ids: set[str]) -> dict[str, Any]:
    """The newest comparison of exactly these runs, and what it found."""
    with shared.reader.explained():
        studies = shared.jobs.list(kind="compare", limit=_LOOKED_AT).items
        for study in studies:
            if set(study.request.get("runs", ())) == ids:
                job = shared.reader.job(study.id)
                done = job.state == "completed"
                return {"study": job, "result": _result(shared, job.id) if done else None}
    return {}


def _result(shared: Context, id: str) -> dict[str, Any]:
    """What the page draws of a comparison."""
    found = data_without_paths(shared.jobs.result(id), str(shared.settings.root))
    return {
        key: found[key] for key in ("groups", "tests", "common_passes", "passes", "left_out") if key in found
    }
