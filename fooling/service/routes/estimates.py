"""What a run is going to cost, before it is launched."""

from __future__ import annotations

from fastapi import APIRouter

from fooling.service.context import Shared
from fooling.service.permitted import settings_of
from fooling.service.recipes import command_of, config_of
from fooling.service.schema import Estimate, RunRequest

router = APIRouter(prefix="/estimates", tags=["estimates"])


@router.post("")
def estimate(request: RunRequest, shared: Shared) -> Estimate:
    """What a run would take, without launching it, and the config and the command that do the same. What is wrong with the
    request is told as a launch would."""
    with shared.reader.explained():
        settings = settings_of(request, shared.settings.models)
        images, rate = shared.jobs.expected(settings)
        _, waiting = shared.jobs.queue()
    seconds, most = None if images is None or rate is None else images / rate, settings.stop.seconds
    if most is not None and (seconds is None or seconds > most):
        seconds, images = most, None if rate is None else int(rate * most)
    return Estimate(
        images=images,
        images_per_second=rate,
        seconds=seconds,
        waiting=len(waiting),
        config=config_of(settings),
        command=command_of(request),
    )
