"""What pages call a run or a study."""

from __future__ import annotations

from fooling.service.schema import Job


def name_of(job: Job) -> str:
    """The words of whoever asked for it, or the name of its directory."""
    return job.label or job.name or job.id[:8]
