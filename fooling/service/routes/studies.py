"""Studies: questions asked of runs, computed as jobs."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body, Query, Response

from fooling.service.context import Shared
from fooling.service.jobs import State
from fooling.service.permitted import check_model
from fooling.service.problems import ProblemError, data_without_paths
from fooling.service.routes.runs import Cursor, Key, Limit, Text, changed, moved, page_of
from fooling.service.schema import (
    AuditRequest,
    Id,
    Job,
    Jobs,
    MoveRequest,
    Study,
    StudyRequest,
    TransferRequest,
)
from fooling.studies import STUDIES

router = APIRouter(prefix="/studies", tags=["studies"])
Kind = Annotated[str | None, Query(max_length=40, pattern=r"^[a-z][a-z-]*$")]


@router.post("", status_code=202)
def launch(
    request: Annotated[StudyRequest, Body()], response: Response, shared: Shared, key: Key = None
) -> Job:
    """Ask a question. Runs are named by their ids, classifiers by SPECs that `GET /models` lists."""
    models = request.to if isinstance(request, TransferRequest) else []
    for spec in [request.model] if isinstance(request, AuditRequest) else models:
        check_model(spec, shared.settings.models)
    if request.kind not in STUDIES:
        raise ProblemError(422, f"kind: this version has no {request.kind}; it has {', '.join(STUDIES)}")
    for id in getattr(request, "runs", [getattr(request, "run", None)]):
        if id is not None:
            shared.reader.job(id, "run")
    asked = request.model_dump(mode="json", exclude={"label", "kind"}, exclude_none=True)
    with shared.reader.explained():
        found = shared.jobs.submit(request.kind, asked, label=request.label, idempotency_key=key)
    response.headers["location"] = f"/api/v1/studies/{found.id}"
    return shared.reader.told(found)


@router.get("")
def listed(
    shared: Shared,
    kind: Kind = None,
    state: State | None = None,
    q: Text = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Jobs:
    """The studies of the folder, newest first."""
    if kind == "run":
        raise ProblemError(422, "kind: expected the kind of a study, found run; see GET /runs")
    return page_of(shared, kind or "study", state, None, None, q, limit, cursor)


@router.get("/{id}")
def one(id: Id, shared: Shared) -> Study:
    """A study, and what it has found. In its result, runs are named by their ids."""
    job = shared.reader.job(id, "study")
    if job.state is not State.COMPLETED:
        return Study(**dict(job))
    with shared.reader.explained():
        result = shared.jobs.result(id)
    return Study(**dict(job), result=data_without_paths(result, str(shared.settings.root)))


@router.delete("/{id}", status_code=204)
def delete(id: Id, shared: Shared) -> None:
    """Delete a study that has ended."""
    shared.reader.job(id, "study")
    with shared.reader.explained():
        shared.jobs.delete(id)


@router.post("/{id}/cancel", status_code=202)
def cancel(id: Id, shared: Shared) -> Job:
    """End a study."""
    return changed(shared, id, "cancel", "study")


@router.post("/{id}/move", status_code=202)
def move(id: Id, request: MoveRequest, shared: Shared) -> Job:
    """Put a study that waits before another job of the queue, or at its end."""
    return moved(shared, id, request, "study")
