"""What the routes of an application share."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, cast

from fastapi import Depends, Request

from fooling.service.asking import Asker
from fooling.service.asking.keeper import Patience
from fooling.service.auth import Access
from fooling.service.blind.sessions import Sessions
from fooling.service.breeding.lines import Lines
from fooling.service.feed import Feed
from fooling.service.films import Films
from fooling.service.history import Histories
from fooling.service.images import Images
from fooling.service.jobs import Jobs, State
from fooling.service.metrics import Metrics
from fooling.service.problems import ProblemError
from fooling.service.reading import Reader
from fooling.service.settings import ServiceSettings


class Context:
    """The jobs of the folder, and what was made of them.

    Attributes:
        stopping: set when the server ends, so that streams end with it.
    """

    def __init__(self, jobs: Jobs, settings: ServiceSettings) -> None:
        self.jobs, self.settings = jobs, settings
        self.access = Access(settings.token, settings.port, settings.limits.wrong)
        self.reader = Reader(jobs, settings.root, settings.limits.snapshot_bytes)
        self.feed = Feed(jobs, self.reader)
        self.images = Images(settings.limits)
        self.blind = Sessions(self.reader, settings.samples)
        self.films = Films(settings.limits, str(settings.root))
        self.histories = Histories()
        self.metrics = Metrics(self._states)
        self.asker = self._new_asker()
        self.lines = Lines()
        self.stopping = threading.Event()
        self._streams = threading.BoundedSemaphore(settings.limits.streams)

    def login_url(self) -> str:
        """A link that logs a browser in once."""
        return f"{self.settings.public.rstrip('/') or self.settings.url}/login?code={self.access.new_login()}"

    @contextmanager
    def stream(self) -> Iterator[None]:
        """One of the event streams that may be open at once.

        Raises:
            ProblemError: 503: there are as many as may be.
        """
        if not self._streams.acquire(blocking=False):
            raise ProblemError(503, "too many event streams are open; try again", {"retry-after": "5"})
        self.metrics.streams.inc()
        try:
            yield
        finally:
            self.metrics.streams.dec()
            self._streams.release()

    def close(self) -> None:
        """End what would go on when the server ends: streams, and the processes of classifiers that are kept ready."""
        self.stopping.set()
        self.asker.close()

    def _new_asker(self) -> Asker:
        settings, limits = self.settings, self.settings.limits
        return Asker(
            settings.models,
            trust=settings.trust,
            warm=limits.warm,
            waiting=limits.questions,
            patience=Patience(limits.question_seconds, limits.idle_seconds, limits.warm_bytes),
        )

    def _states(self) -> dict[str, int]:
        return {str(state): self.jobs.list(state=state, limit=1).total for state in State}


def _context(request: Request) -> Context:
    return cast(Context, request.app.state.context)


Shared = Annotated[Context, Depends(_context)]
