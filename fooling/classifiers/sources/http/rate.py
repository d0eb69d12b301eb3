"""How fast a server is asked: a token bucket that holds one token, and exponential back-off with jitter."""

from __future__ import annotations

import hashlib
import threading
import time

from fooling.classifiers.sources.http.spec import PaceTable


class RateLimiter:
    """Spaces the requests that all threads send to one server."""

    def __init__(self, per_second: float | None) -> None:
        """`per_second`: how many requests may begin in a second; None: any number."""
        self._interval = 1.0 / per_second if per_second else 0.0
        self._lock = threading.Lock()
        self._next = 0.0  # the time from which the next request may begin

    def acquire(self) -> None:
        """Wait until a request may begin."""
        while True:
            with self._lock:
                now = time.monotonic()
                if now >= self._next:
                    self._next = now + self._interval
                    return
                wait = self._next - now
            time.sleep(wait)

    def pause(self, seconds: float) -> None:
        """Let no request begin for so long, because the server asked for it."""
        with self._lock:
            self._next = max(self._next, time.monotonic() + seconds)


def back_off(table: PaceTable, attempt: int, key: bytes) -> float:
    """How many seconds to wait after a failed attempt (0 is the first).

    The wait doubles with each attempt, up to `longest`. A draw that is keyed by image and attempt takes between half
    of it and all of it.
    """
    draw = int.from_bytes(hashlib.sha256(key + attempt.to_bytes(4, "little")).digest()[:4], "little") / 2**32
    return min(table.longest, table.backoff * 2.0 ** min(attempt, 30)) * (0.5 + 0.5 * draw)
