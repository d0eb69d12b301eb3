"""How fast a server is asked: a token bucket that holds one token, and exponential back-off with jitter."""

from __future__ import annotations

import hashlib
import threading
import time

from fooling.classifiers.sources.http.spec import PaceTable


class Pace:
    """The turns of all threads that ask one server."""

    def __init__(self, per_second: float | None) -> None:
        self._interval = 1.0 / per_second if per_second else 0.0
        self._lock = threading.Lock()
        self._next = 0.0  # the time of the next turn

    def turn(self) -> None:
        """Wait for a turn."""
        while True:
            with self._lock:
                now = time.monotonic()
                if now >= self._next:
                    self._next = now + self._interval
                    return
                wait = self._next - now
            time.sleep(wait)

    def hold(self, seconds: float) -> None:
        """Nobody's turn comes for so long: the server asked for it."""
        with self._lock:
            self._next = max(self._next, time.monotonic() + seconds)


def back_off(table: PaceTable, attempt: int, key: bytes) -> float:
    """Seconds to wait after a failed attempt (0: the first): doubled with each, at most `longest`; from half
    of that to all of it, by a draw that is keyed by image and attempt."""
    draw = int.from_bytes(hashlib.sha256(key + attempt.to_bytes(4, "little")).digest()[:4], "little") / 2**32
    return min(table.longest, table.backoff * 2.0 ** min(attempt, 30)) * (0.5 + 0.5 * draw)
