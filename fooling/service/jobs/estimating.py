"""How long a job is going to take, from what earlier runs took."""

from __future__ import annotations

from fooling.service.jobs.index import Index, pace_of
from fooling.service.jobs.models import ENDED, Job


def remaining_seconds(index: Index, job: Job) -> float | None:
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
    rate = index.rate(pace_of(job))
    return None if rate is None else max(0, done.planned - done.evaluations) / rate
