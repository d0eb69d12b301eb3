"""How long a job is going to take, from what earlier runs took."""

from __future__ import annotations

import functools

from fooling.service.jobs.index import Index, pace_of
from fooling.service.jobs.models import ENDED, Job


class Rates:
    """Images per second of earlier runs, each looked up once."""

    def __init__(self, index: Index) -> None:
        self._of = functools.cache(index.rate)

    def __call__(self, job: Job) -> float | None:
        """In runs like this one; None where there are none."""
        return self._of(pace_of(job))


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
