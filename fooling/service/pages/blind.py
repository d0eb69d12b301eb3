"""The page on which people are asked what they see."""

from __future__ import annotations

from fastapi import APIRouter

from fooling.service.blind.models import Blind
from fooling.service.context import Shared
from fooling.service.pages.drawing import page
from fooling.service.schema import Id

router = APIRouter()


@page(router, "/blind/{id}", "blind.html.j2")
def blind(id: Id, shared: Shared) -> Blind:
    """What a person can be asked about a run."""
    return shared.blind.about(id)
