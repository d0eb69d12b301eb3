"""What changes in the folder, as events that any number of streams read: made once, kept for a while."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from itertools import islice

from fooling.errors import FoolingError
from fooling.service.jobs import Changes, Jobs
from fooling.service.live import message
from fooling.service.reading import Reader

_LOOK = 0.3  # seconds between two looks at the folder, however many streams there are
_KEPT = 4000  # events


class Feed:
    """Numbered events. May be used from any thread; nothing is looked at while nobody asks."""

    def __init__(self, jobs: Jobs, reader: Reader) -> None:
        self._jobs, self._reader = jobs, reader
        self._look: Callable[[], Changes] | None = None
        self._looked = float("-inf")
        self._events: deque[bytes] = deque(maxlen=_KEPT)
        self._number = 0  # of the last event
        self._lock = threading.Lock()

    def now(self) -> int:
        """The number of the last event."""
        with self._lock:
            self._refresh()
            return self._number

    def since(self, number: int) -> tuple[int, bytes]:
        """The events after one.

        Returns:
            The number of the last one, and all of them; an event `again` where some are not kept any more: whoever
            hears it asks for everything anew.
        """
        with self._lock:
            self._refresh()
            missing = self._number - number
            if missing > len(self._events):
                return self._number, message("again", {})
            return self._number, b"".join(islice(self._events, len(self._events) - missing, None))

    def _refresh(self) -> None:
        """Look, unless somebody just has. A folder that can't be read now may be at the next look."""
        if time.monotonic() - self._looked < _LOOK:
            return
        try:
            if self._look is None:
                self._look = self._jobs.watch()
                self._add(message("again", {}))  # what changed meanwhile was not seen
            for event in self._told(self._look()):
                self._add(event)
        except FoolingError:
            self._look = None
        self._looked = time.monotonic()

    def _add(self, event: bytes) -> None:
        self._events.append(event)
        self._number += 1

    def _told(self, changes: Changes) -> Iterator[bytes]:
        for job in changes.jobs:
            yield message("job", self._reader.told(job).model_dump(mode="json"))
        for id in changes.gone:
            yield message("gone", {"id": id})
        if changes.queue is not None:
            yield message("queue", {"ids": changes.queue})
