"""How long a job is going to take, from what earlier runs took."""

from __future__ import annotations

import functools
import heapq
from collections.abc import Sequence

from fooling.config import Settings
from fooling.search.settings import GradientAscentSettings, MapElitesSettings, SingleClassSettings
from fooling.service.jobs.index import Index, pace_of
from fooling.service.jobs.models import ENDED, Job


class Rates:
    """Images per second of earlier runs, each looked up once."""

    def __init__(self, index: Index) -> None:
        self._of = functools.cache(index.rate)

    def __call__(self, job: Job) -> float | None:
        """In runs like this one; None where there are none."""
        return self._of(pace_of(job.model, job.encoding, job.search))


def planned_images(settings: Settings, classes: int | None) -> int | None:
    """Images that a run is going to classify, unless it stops early for another reason than their number.

    Args:
        classes: of its classifier; None where that is not known.

    Returns:
        None where that depends on what is not known.
    """
    search = settings.search
    if isinstance(search, MapElitesSettings):
        planned = (search.initial or search.population) + search.generations * search.population
    elif isinstance(search, SingleClassSettings | GradientAscentSettings):
        chosen = len(search.classes) if search.classes is not None else classes
        if chosen is None:
            return None
        if isinstance(search, SingleClassSettings):
            planned = chosen * search.generations_per_class * search.population
        else:
            planned = chosen * (search.starts or 1) * (search.steps + 1)
    else:
        return None
    return planned if settings.stop.evaluations is None else min(planned, settings.stop.evaluations)


def remaining_seconds(rates: Rates, job: Job) -> float | None:
    """Seconds that a run still has to compute.

    Returns:
        From its own speed, where it has begun; from that of the newest runs of the same model, encoding and search in
        the folder, where there are any; else None. None also for studies, and for what has ended.
    """
    if job.kind != "run" or job.state in ENDED:
        return None
    done = job.progress
    if done.generations is not None and done.generation >= 1:
        return done.seconds / (done.generation + 1) * max(0, done.generations - done.generation)
    if done.planned is None:
        return None
    rate = rates(job)
    return None if rate is None else max(0, done.planned - done.evaluations) / rate


def starts(live: Sequence[float | None], waiting: Sequence[float | None], running: int) -> list[float | None]:
    """When waiting jobs are going to start, in seconds from now.

    Args:
        live: what jobs that are computed still need, in seconds; None: not known.
        waiting: what those that wait are going to need, the next one first.
        running: jobs that are computed at once.

    Returns:
        For each that waits; None from the first on before which something of unknown length has to end.
    """
    # Where more run than this, another server started them: so many have to end before one starts.
    ends = sorted(seconds for seconds in live if seconds is not None)[max(0, len(live) - running) :]
    free = [0.0] * (running - len(live)) + ends
    heapq.heapify(free)
    known, found = len(free) >= running > 0, list[float | None]()
    for seconds in waiting:
        known = known and bool(free)
        found.append(free[0] if known else None)
        if known and seconds is None:
            heapq.heappop(free)
            known = False
        elif known and seconds is not None:
            heapq.heapreplace(free, free[0] + seconds)
    return found
