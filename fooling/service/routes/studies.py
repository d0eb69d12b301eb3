"""Studies: questions asked of runs, computed as jobs."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body, Query, Response
from fastapi import Path as PathParameter

from fooling.errors import did_you_mean
from fooling.present.audit.pictures import picture
from fooling.service.context import Context, Shared
from fooling.service.jobs import State
from fooling.service.permitted import check_model
from fooling.service.problems import ProblemError, data_without_paths
from fooling.service.questions import AuditRequest, StudyRequest, TransferRequest
from fooling.service.routes.elites import Number
from fooling.service.routes.runs import Cursor, Key, Limit, Text, changed, moved, page_of
from fooling.service.schema import (
    Id,
    Job,
    Jobs,
    MoveRequest,
    Study,
)
from fooling.studies import STUDIES
from fooling.text import plain

router = APIRouter(prefix="/studies", tags=["studies"])
Digest = Annotated[str, PathParameter(pattern=r"^[0-9a-f]{64}$")]
PictureKind = Annotated[str, PathParameter(pattern=r"^(elite|effects|needed|map-[0-9])$")]
_PNG: dict[int | str, dict[str, Any]] = {200: {"content": {"image/png": {}}}}
Kind = Annotated[str | None, Query(max_length=40, pattern=r"^[a-z][a-z-]*$")]


@router.post("", status_code=202)
def launch(
    request: Annotated[StudyRequest, Body()], response: Response, shared: Shared, key: Key = None
) -> Job:
    """Ask a question. Runs are named by their ids, classifiers by SPECs that `GET /models` lists."""
    for spec in _models(request):
        check_model(spec, shared.settings.models)
    if request.kind not in STUDIES:
        raise ProblemError(422, f"kind: this version has no {request.kind}; it has {', '.join(STUDIES)}")
    for id in getattr(request, "runs", [getattr(request, "run", None)]):
        if id is not None:
            shared.reader.job(id, "run")
    asked = request.model_dump(mode="json", exclude={"label", "kind"}, exclude_none=True)
    if isinstance(request, AuditRequest):
        asked |= _samples(request, shared)
    with shared.reader.explained():
        found = shared.jobs.submit(request.kind, asked, label=request.label, idempotency_key=key)
    response.headers["location"] = f"/api/v1/studies/{found.id}"
    return shared.reader.told(found)


def _models(request: StudyRequest) -> list[str]:
    """The SPECs that a request names."""
    if isinstance(request, AuditRequest):
        return [request.model, *request.others]
    return request.to if isinstance(request, TransferRequest) else []


def _samples(request: AuditRequest, shared: Context) -> dict[str, str]:
    """The real images of an audit: those that the server was started with, and no others.

    Raises:
        ProblemError: 403: it was not started with these.
    """
    known = {path.name: str(path) for path in reversed(shared.settings.samples)}
    if request.samples is None:
        return {"samples": str(shared.settings.samples[0])} if known else {}
    if request.samples not in known:
        near = did_you_mean(request.samples, known)
        raise ProblemError(403, f"samples: this server was not started with {plain(request.samples)}{near}")
    return {"samples": known[request.samples]}


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


@router.get("/{id}/images/{sha256}.png", response_class=Response, responses=_PNG)
def image(id: Id, sha256: Digest, shared: Shared) -> Response:
    """An image that a report of an audit shows, by the SHA-256 of its pixels."""
    shared.reader.job(id, "audit")
    with shared.reader.explained():
        png = picture(shared.jobs.result(id), sha256)
    if png is None:
        raise ProblemError(404, "the report has no such image")
    return Response(
        png, media_type="image/png", headers={"cache-control": "private, max-age=31536000, immutable"}
    )


@router.get("/{id}/elites/{class}/{kind}.png", response_class=Response, responses=_PNG)
def explained(id: Id, number: Number, kind: PictureKind, shared: Shared) -> Response:
    """A picture of an explanation: an elite (`elite`) with the effects of its cells, those that are enough, a map."""
    from fooling.present.explain.pictures import picture as picture_of
    from fooling.studies.explain.result import Explained

    shared.reader.job(id, "explain")
    with shared.reader.explained():
        result = shared.jobs.result(id)
        found = next((one for one in result["elites"] if one["class"] == int(number)), None)
    reading = None if found is None else shared.reader.reading(result["run"])
    if found is None or reading is None or not reading.view.occupied[int(number)]:
        raise ProblemError(404, "the explanation has no such elite")
    view, one = reading.view, Explained.model_validate(found, strict=False)
    try:
        png = picture_of(one, view.stored_pixels[view.stored_rows[one.number]], kind)
    except KeyError:
        raise ProblemError(404, "the explanation has no such picture") from None
    return Response(png, media_type="image/png", headers={"cache-control": "private, no-cache"})


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
