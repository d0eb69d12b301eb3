"""The jobs of a folder of runs, without any HTTP: a queue on disk, detached processes that compute, an index.

`Jobs` is what the service talks to. Its files are the truth: `places` says where they are, `records` what they hold,
`process` is the program that computes a job, `supervisor` starts such programs and notices when one has died.
"""

from fooling.service.jobs.finding import Found, Query
from fooling.service.jobs.folder import Jobs
from fooling.service.jobs.models import (
    ENDED,
    TRANSITIONS,
    ConflictError,
    Job,
    Page,
    Progress,
    QueueFullError,
    State,
)
from fooling.service.jobs.watching import Changes

__all__ = [
    "ENDED",
    "TRANSITIONS",
    "Changes",
    "ConflictError",
    "Found",
    "Job",
    "Jobs",
    "Page",
    "Progress",
    "Query",
    "QueueFullError",
    "State",
]
