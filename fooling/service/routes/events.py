"""A run as it happens: server-sent events (HTML standard, 9.2), with replay."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import ExitStack
from typing import Annotated

from fastapi import APIRouter, Header, Response
from fastapi.responses import StreamingResponse

from fooling.errors import FoolingError
from fooling.service.context import Context, Shared
from fooling.service.jobs import ENDED, Job
from fooling.service.live import EventId, Follower, Told, message
from fooling.service.problems import ProblemError, data_without_paths
from fooling.service.schema import Id

router = APIRouter(prefix="/runs/{id}/events", tags=["events"])
_LOOK = 0.2  # seconds between two looks at the log
_STATE = 1.0  # seconds between two looks at the job
_BEAT = 15.0  # seconds of silence, after which a comment shows proxies that somebody is there


@router.get(
    "",
    response_class=StreamingResponse,
    responses={
        200: {"content": {"text/event-stream": {}}},
        204: {"description": "the client has everything"},
    },
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
    headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
    return _Stream(_told(shared, job, follower), held, headers=headers, media_type="text/event-stream")


class _Stream(StreamingResponse):
    """Gives its place back however it ends, also where nobody has read a byte of it."""

    def __init__(
        self, content: AsyncIterator[bytes], held: ExitStack, headers: dict[str, str], media_type: str
    ) -> None:
        super().__init__(content, headers=headers, media_type=media_type)
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
            yield b": still here\n\n"
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
