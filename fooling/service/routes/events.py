"""A run as it happens, with replay, and all jobs of the folder: server-sent events (HTML standard, 9.2)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import ExitStack
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Response
from fastapi.responses import StreamingResponse

from fooling.errors import FoolingError
from fooling.service.context import Context, Shared
from fooling.service.jobs import ENDED, Job
from fooling.service.live import EventId, Follower, Told, message
from fooling.service.problems import ProblemError, data_without_paths
from fooling.service.schema import Id

router = APIRouter(tags=["events"])
_LOOK = 0.2  # seconds between two looks at the log
_STATE = 1.0  # seconds between two looks at the job
_BEAT = 15.0  # seconds of silence, after which a comment shows proxies that somebody is there
_STILL_HERE = b": still here\n\n"


_STREAM: dict[int | str, dict[str, Any]] = {200: {"content": {"text/event-stream": {}}}}


@router.get("/events", response_class=StreamingResponse, responses=_STREAM)
async def everything(
    shared: Shared,
    seconds: Annotated[float, Query(ge=0, le=86400, description="after which the stream ends")] = 86400.0,
) -> Response:
    """What changes in the folder, from now on. An event `job` has a run or a study whenever it has changed, progress
    included; `gone` the id of one that was deleted; `queue` the ids of those that wait, in their order; `again` says that
    something may have been missed. There are no ids to come back with: whoever was away asks for everything anew."""
    number = await asyncio.to_thread(shared.feed.now)
    held = ExitStack()
    held.enter_context(shared.stream())
    return _Stream(_changes(shared, number, time.monotonic() + seconds), held)


async def _changes(shared: Context, number: int, end: float) -> AsyncIterator[bytes]:
    beat = time.monotonic()
    yield message("hello", {})
    while not shared.stopping.is_set():
        number, told = await asyncio.to_thread(shared.feed.since, number)
        now = time.monotonic()
        if told or now - beat > _BEAT:
            beat = now
            yield told or _STILL_HERE
        if now >= end:
            return
        await asyncio.sleep(min(_LOOK, end - now))


@router.get(
    "/runs/{id}/events",
    response_class=StreamingResponse,
    responses={**_STREAM, 204: {"description": "the client has everything"}},
)
async def events(
    id: Id,
    shared: Shared,
    last: Annotated[str | None, Header(alias="Last-Event-ID", max_length=100)] = None,
) -> Response:
    """What the run's log says, from its beginning or from the event after `Last-Event-ID`, and on while it goes on; besides,
    events named `state` when the state changes. The stream ends when the run has ended."""
    job = await asyncio.to_thread(shared.reader.job, id, "run")
    follower = Follower(shared.jobs.events_file(id), _position(last))
    if last and job.state in ENDED and not await asyncio.to_thread(_has_more, shared, id, last):
        return Response(status_code=204)  # at which a browser stops asking
    held = ExitStack()
    held.enter_context(shared.stream())
    return _Stream(_told(shared, job, follower), held)


class _Stream(StreamingResponse):
    """Gives its place back however it ends, also where nobody has read a byte of it."""

    def __init__(self, content: AsyncIterator[bytes], held: ExitStack) -> None:
        headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
        super().__init__(content, headers=headers, media_type="text/event-stream")
        self._held = held

    async def __call__(self, scope, receive, send) -> None:  # type: ignore[no-untyped-def]
        with self._held:
            await super().__call__(scope, receive, send)


def _position(last: str | None) -> EventId | None:
    try:
        return EventId.parse(last) if last else None
    except ValueError as error:
        raise ProblemError(422, f"Last-Event-ID: {error}") from None


def _has_more(shared: Context, id: str, last: str) -> bool:
    try:
        return bool(Follower(shared.jobs.events_file(id), EventId.parse(last)).look(most=1))
    except FoolingError:
        return True  # which the stream tells


async def _told(shared: Context, job: Job, follower: Follower) -> AsyncIterator[bytes]:
    """The stream. A job's state is looked at before the log, so that nothing of a run that has ended is missing."""
    beat = looked = time.monotonic()
    yield message("state", _state(job))
    while not shared.stopping.is_set():
        ended = job.state in ENDED
        try:
            while batch := await asyncio.to_thread(follower.look):
                beat = time.monotonic()
                yield b"".join(_sent(told, shared) for told in batch)
        except FoolingError:
            yield message("problem", {"detail": "the log of this run is damaged"})
            return
        if ended:
            return
        if time.monotonic() - beat > _BEAT:
            beat = time.monotonic()
            yield _STILL_HERE
        await asyncio.sleep(_LOOK)
        if time.monotonic() - looked >= _STATE:
            looked = time.monotonic()
            try:
                now = await asyncio.to_thread(shared.reader.job, job.id, "run")
            except ProblemError:  # it was deleted
                return
            if _state(now) != _state(job):
                beat = time.monotonic()
                yield message("state", _state(now))
            job = now


def _sent(told: Told, shared: Context) -> bytes:
    """An event of the log. What it says in words may name files."""
    data = (
        told.data if told.kind == "generation" else data_without_paths(told.data, str(shared.settings.root))
    )
    return message(told.kind, data, told.id)


def _state(job: Job) -> dict[str, object]:
    return job.model_dump(mode="json", include={"state", "position", "reason", "started", "ended"})
