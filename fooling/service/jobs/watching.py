"""What changes in a folder, for whoever wants to be told."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from fooling.service.jobs.index import Index, job_from
from fooling.service.jobs.models import Job


@dataclass(frozen=True)
class Changes:
    """What has changed between two looks.

    Attributes:
        jobs: as they are now, also new ones; the one that changed last is the last one.
        gone: ids of those that were deleted.
        queue: the ids of the jobs that wait, the next one first; None where that is as it was.
    """

    jobs: Sequence[Job] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    queue: tuple[str, ...] | None = None


class Watch:
    """Looks at the index again and again. A look at a folder in which nothing has changed reads one number. Of each job
    it keeps a hash. To be used from one thread at a time."""

    def __init__(
        self,
        index: Index,
        completed: Callable[[Sequence[Job]], Sequence[Job]],
        queue: Callable[[], tuple[str, ...]],
    ) -> None:
        """
        Args:
            completed: jobs with what depends on other jobs.
            queue: the ids of the jobs that wait.
        """
        self._index, self._completed, self._queue = index, completed, queue
        self._known: dict[str, int] = {}
        self._order: tuple[str, ...] = ()
        self._tick = 0
        self._fresh()

    def look(self) -> Changes:
        """What has changed since the last look, or since this was made."""
        if self._index.tick() == self._tick:
            return Changes()
        bodies, gone = self._fresh()
        order = self._queue()
        moved, self._order = order != self._order, order
        return Changes(self._completed([job_from(body) for body in bodies]), gone, order if moved else None)

    def _fresh(self) -> tuple[list[str], list[str]]:
        """The bodies of rows that differ from what is known, and the ids of rows that are gone."""
        self._tick, count, rows = self._index.changed(self._tick)
        found = []
        for id, body in rows:
            seen = hash(body)
            if self._known.get(id) != seen:
                self._known[id] = seen
                found.append(body)
        gone: list[str] = []
        if len(self._known) != count:
            gone = sorted(self._known.keys() - self._index.ids())
            for id in gone:
                del self._known[id]
        return found, gone
