"""People: ask them what they see in a run's elites, among real images."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Response

from fooling.service.blind.models import AnswerRequest, Blind, Session, SessionRequest, Truths
from fooling.service.context import Shared
from fooling.service.schema import Id

router = APIRouter(prefix="/runs/{id}/blind", tags=["blind"])
SessionId = Annotated[str, Path(alias="session", pattern=r"^[0-9a-f]{32}$", description="an id of a session")]
Place = Annotated[str, Path(alias="image", pattern=r"^[0-9]{1,4}$", description="its place in the session")]
_PNG: dict[int | str, dict[str, Any]] = {200: {"content": {"image/png": {}}}}


@router.get("")
def about(id: Id, shared: Shared) -> Blind:
    """What people can be asked about a run, and what they said of it so far."""
    return shared.blind.about(id)


@router.post("", status_code=201)
def begin(id: Id, request: SessionRequest, response: Response, shared: Shared) -> Session:
    """Begin a session: what is shown is drawn and written down. It can be left, and continued, at any time."""
    found = shared.blind.begin(id, request)
    response.headers["location"] = f"/api/v1/runs/{id}/blind/{found.session}"
    return found


@router.get("/{session}")
def one(id: Id, session: SessionId, shared: Shared) -> Session:
    """How far a person is, and the image that waits for an answer."""
    return shared.blind.session(id, session)


@router.post("/{session}/answers")
def answer(id: Id, session: SessionId, request: AnswerRequest, shared: Shared) -> Session:
    """Say what is seen in the image whose turn it is. An answer can't be changed; the same one again is no harm."""
    return shared.blind.answer(id, session, request)


@router.get("/{session}/truth")
def truth(id: Id, session: SessionId, shared: Shared) -> Truths:
    """What each image was, when all are answered; 409 before."""
    return shared.blind.truth(id, session)


@router.get("/{session}/{image}.png", response_class=Response, responses=_PNG)
def image(id: Id, session: SessionId, place: Place, shared: Shared) -> Response:
    """An image of a session, in the classifier's own size."""
    found = shared.blind.picture(id, session, int(place))
    headers = {"etag": found.etag, "cache-control": "private, max-age=86400, immutable"}
    return Response(found.data, media_type="image/png", headers=headers)
