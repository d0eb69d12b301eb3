"""Runs: launch, list, look, pause, resume, cancel, delete, export."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header, Query, Response
from fastapi.responses import StreamingResponse

from fooling.service import archives
from fooling.service.context import Context, Shared
from fooling.service.images import picture_response
from fooling.service.permitted import settings_of
from fooling.service.problems import ProblemError
from fooling.service.reading import is_final
from fooling.service.schema import Id, Job, Jobs, MoveRequest, Run, RunRequest, State

router = APIRouter(prefix="/runs", tags=["runs"])
Key = Annotated[
    str | None, Header(alias="Idempotency-Key", min_length=1, max_length=200, pattern=r"^[\x21-\x7e]+$")
]
Limit = Annotated[int, Query(ge=1, description="items on a page; the server gives no more than it wants to")]
Cursor = Annotated[str | None, Query(max_length=1000, description="the `next` of the page before")]
Text = Annotated[str | None, Query(max_length=1000)]


@router.post("", status_code=202)
def launch(request: RunRequest, response: Response, shared: Shared, key: Key = None) -> Job:
    """Launch a run. It is on the disk when this answers. The same Idempotency-Key and request give the same run."""
    with shared.reader.explained():
        settings_of(request, shared.settings.models)
        asked = request.model_dump(mode="json", exclude={"label"}, exclude_none=True)
        found = shared.jobs.submit("run", asked, label=request.label, idempotency_key=key)
    response.headers["location"] = f"/api/v1/runs/{found.id}"
    return shared.reader.told(found)


@router.get("")
def listed(
    shared: Shared,
    state: State | None = None,
    model: Text = None,
    label: Text = None,
    q: Text = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Jobs:
    """The runs of the folder, newest first; those that `fooling run` made there too. `q` is text in the name, the label or
    the model."""
    return page_of(shared, "run", state, model, label, q, limit, cursor)


def page_of(
    shared: Context,
    kind: str | None,
    state: State | None,
    model: str | None,
    label: str | None,
    q: str | None,
    limit: int,
    cursor: str | None,
) -> Jobs:
    """A page of jobs."""
    with shared.reader.explained():
        page = shared.jobs.list(
            state=state,
            kind=kind,
            model=model,
            label=label,
            q=q,
            limit=min(limit, shared.settings.limits.listed),
            cursor=cursor,
        )
    return Jobs(items=[shared.reader.told(job) for job in page.items], next=page.next, total=page.total)


@router.get("/{id}")
def one(id: Id, shared: Shared) -> Run:
    """A run, and what it has found by its newest checkpoint."""
    return shared.reader.run(id)


@router.delete("/{id}", status_code=204)
def delete(id: Id, shared: Shared) -> None:
    """Delete a run that has ended, with all that it found."""
    shared.reader.job(id, "run")
    with shared.reader.explained():
        shared.jobs.delete(id)


@router.post("/{id}/pause", status_code=202)
def pause(id: Id, shared: Shared) -> Job:
    """Ask a run for a checkpoint, after which it gives its memory back."""
    return changed(shared, id, "pause")


@router.post("/{id}/resume", status_code=202)
def resume(id: Id, shared: Shared) -> Job:
    """Let a run that was paused, or has failed, go on from its checkpoint."""
    return changed(shared, id, "resume")


@router.post("/{id}/cancel", status_code=202)
def cancel(id: Id, shared: Shared) -> Job:
    """End a run for good. What it has found stays."""
    return changed(shared, id, "cancel")


def changed(shared: Context, id: str, change: str, kind: str = "run") -> Job:
    """A job that is asked for something."""
    shared.reader.job(id, kind)
    with shared.reader.explained():
        found = getattr(shared.jobs, {"pause": "pause", "resume": "resume", "cancel": "cancel"}[change])(id)
    return shared.reader.told(found)


@router.post("/{id}/move", status_code=202)
def move(id: Id, request: MoveRequest, shared: Shared) -> Job:
    """Put a run that waits before another job of the queue, or at its end."""
    return moved(shared, id, request)


def moved(shared: Context, id: str, request: MoveRequest, kind: str = "run") -> Job:
    """A job that is put elsewhere in the queue."""
    shared.reader.job(id, kind)
    with shared.reader.explained():
        return shared.reader.told(shared.jobs.reorder(id, request.before))


@router.get("/{id}/preview.png", response_class=Response, responses={200: {"content": {"image/png": {}}}})
def preview(
    id: Id,
    shared: Shared,
    known: Annotated[str | None, Header(alias="If-None-Match", max_length=1000)] = None,
) -> Response:
    """The surest elites of a run, eight at most, in one small picture; an empty one before there are any."""
    job = shared.reader.job(id, "run")
    stamp = shared.reader.stamp(id)
    picture = shared.images.preview(id, stamp, lambda: shared.reader.glance(id))
    return picture_response(picture, is_final(job), known)


@router.get(
    "/{id}/export", response_class=StreamingResponse, responses={200: {"content": {"application/zip": {}}}}
)
def export(id: Id, shared: Shared) -> StreamingResponse:
    """The run directory as a zip, by its newest checkpoint: `fooling show` reads it where it is unpacked."""
    job = shared.reader.job(id, "run")
    reading = shared.reader.reading(id)
    if reading is None:
        raise ProblemError(404, "this run has not begun")
    with shared.reader.explained():
        parts = archives.zipped(shared.jobs.directory(id), job.id, reading.view)
    headers = {"content-disposition": f'attachment; filename="run-{job.id}.zip"'}
    return StreamingResponse(parts, media_type="application/zip", headers=headers)
