"""Studies: a list with a form that begins a transfer, and what each of them found."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import ValidationError

from fooling.errors import FoolingError
from fooling.service.context import Context, Shared
from fooling.service.jobs.submitting import named_runs
from fooling.service.pages.drawing import page
from fooling.service.pages.naming import name_of
from fooling.service.problems import ProblemError, data_without_paths, without_paths
from fooling.service.routes.runs import Cursor, page_of
from fooling.service.schema import Answer, Id, Job

router = APIRouter()
_SHOWN = 60  # studies on a page
Chosen = Annotated[
    str,
    Query(pattern=r"^([0-9a-f]{20}(,[0-9a-f]{20}){0,99})?$", description="runs that the form begins with"),
]


class Named(Answer):
    """A run that a study is about; without a name where it is gone."""

    id: str
    name: str | None


class Listed(Answer):
    """A study in the list."""

    job: Job
    runs: tuple[Named, ...]


class Studies(Answer):
    """The studies of the folder, newest first.

    Attributes:
        chosen: the runs that the form for a transfer begins with.
        models: the classifiers that a transfer may show images to.
    """

    items: tuple[Listed, ...]
    next: str | None
    total: int
    chosen: tuple[Job, ...]
    models: tuple[str, ...]


class StudyPage(Answer):
    """A study.

    Attributes:
        runs: that it is about.
        gone_on: whether one of them has got further since, so that its images may be others.
        drawn: what a page shows of what it found, by kind; null before it is completed.
        tree: what it found, where its kind has no page of its own; null likewise.
        damaged: why what it found can't be read; "" where it can.
    """

    job: Job
    runs: tuple[Named, ...]
    gone_on: bool = False
    drawn: dict[str, Any] | None = None
    tree: dict[str, Any] | None = None
    damaged: str = ""


@page(router, "/studies", "studies.html.j2")
def studies(shared: Shared, runs: Chosen = "", cursor: Cursor = None) -> Studies:
    """What was asked of the runs of the folder, and a form to ask for a transfer."""
    found = page_of(shared, "study", None, None, None, None, _SHOWN, cursor)
    chosen = [_job(shared, id) for id in dict.fromkeys(runs.split(",")) if id]
    names: dict[str, str | None] = {}
    return Studies(
        items=tuple(Listed(job=job, runs=_runs(shared, job, names)) for job in found.items),
        next=found.next,
        total=found.total,
        chosen=tuple(job for job in chosen if job is not None),
        models=shared.settings.models,
    )


@page(router, "/studies/{id}", "study.html.j2")
def study(id: Id, shared: Shared) -> StudyPage:
    """A study, and what it has found."""
    job = shared.reader.job(id, "study")
    runs = _runs(shared, job, {})
    if job.state != "completed":
        return StudyPage(job=job, runs=runs)
    gone_on = any(_is_newer(shared, run.id, job) for run in runs)
    try:
        result = data_without_paths(shared.jobs.result(id), str(shared.settings.root))
        draw = _DRAWN.get(job.kind)
        if draw is None:
            return StudyPage(job=job, runs=runs, gone_on=gone_on, tree=result)
        drawn = draw(result, {run.id: run.name or run.id[:8] for run in runs}, id)
        return StudyPage(job=job, runs=runs, gone_on=gone_on, drawn=drawn)
    except (FoolingError, ValidationError, OSError) as error:
        told = str(error).splitlines()[0]
        return StudyPage(job=job, runs=runs, damaged=without_paths(told, str(shared.settings.root)))


def _runs(shared: Context, job: Job, names: dict[str, str | None]) -> tuple[Named, ...]:
    """The runs of a study; `names` has those that were looked up before."""
    for id in named_runs(job.request):
        if id not in names:
            found = _job(shared, id)
            names[id] = None if found is None else name_of(found)
    return tuple(Named(id=id, name=names[id]) for id in named_runs(job.request))


def _job(shared: Context, id: str) -> Job | None:
    try:
        return shared.reader.job(id, "run")
    except ProblemError:
        return None


def _is_newer(shared: Context, id: str, study: Job) -> bool:
    """Whether a run went on after the study had looked at it."""
    run = _job(shared, id)
    began = study.started or study.created
    return run is not None and (run.ended is None or run.ended > began)


def _transfer(result: dict[str, Any], names: dict[str, str], id: str) -> dict[str, Any]:
    from fooling.present.transfer.matrix import drawn
    from fooling.studies.transfer.result import Result

    typed = Result.model_validate(result)
    shown = {source: names.get(source, source[:8]) for source in typed.sources}
    return {**drawn(typed, shown), "runs": list(typed.sources)}


def _compare(result: dict[str, Any], names: dict[str, str], id: str) -> dict[str, Any]:
    from fooling.studies.compare.result import Result

    typed = Result.model_validate(result).document()
    keep = [
        "run",
        "name",
        "group",
        "seed",
        "model",
        "status",
        "evaluations",
        "passes",
        "seconds",
        "confidence",
        "median_at_common_passes",
        "images",
    ]
    return {
        **typed,
        "runs": [{key: run[key] for key in keep} for run in typed["runs"]],
        "classes": len(typed["classes"]),
    }


def _lineage(result: dict[str, Any], names: dict[str, str], id: str) -> dict[str, Any]:
    from fooling.studies.lineage.result import Result

    return Result.model_validate(result).document()


def _audit(result: dict[str, Any], names: dict[str, str], id: str) -> dict[str, Any]:
    from fooling.present.audit.view import drawn

    return drawn(result)


def _explain(result: dict[str, Any], names: dict[str, str], id: str) -> dict[str, Any]:
    from fooling.present.explain.view import drawn
    from fooling.studies.explain.result import Result

    typed = Result.model_validate(result)
    at = f"/api/v1/studies/{id}/elites"
    return drawn(typed, names.get(typed.run, typed.run[:8]), lambda number, kind: f"{at}/{number}/{kind}.png")


_DRAWN: dict[str, Callable[[dict[str, Any], dict[str, str], str], dict[str, Any]]] = {
    "transfer": _transfer,
    "compare": _compare,
    "lineage": _lineage,
    "audit": _audit,
    "explain": _explain,
}
