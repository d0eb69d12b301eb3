"""How a run under way gets on, in one line."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fooling.store.snapshot import Snapshot


class Pace:
    """How a run gets on. What came before the first snapshot that it sees says nothing of the speed."""

    def __init__(self) -> None:
        self._start: tuple[float, int, int] | None = None  # a time, and how many generations and evaluations

    def see(self, run: Snapshot, now: float) -> None:
        """Remember where the run began, if this is the first snapshot of it, or of another run after it.

        Args:
            now: seconds of a monotonic clock.
        """
        if self._start is None or run.generation <= self._start[1]:
            self._start = (now, run.generation, run.evaluations)

    def state(self, run: Snapshot, now: float) -> str:
        """Median, classes at two levels, speed, time left."""
        from fooling.confidence import (
            format_confidence,
        )  # NumPy: late, for the command line imports this file

        self.see(run, now)
        began, generation, evaluations = self._start or (now, 0, 0)
        parts = [
            f"median {format_confidence(run.statistics.median)}",
            f"{run.statistics.at_least_99} at 99 %",
            f"{run.statistics.at_least_9999} at 99.99 %",
        ]
        elapsed, done = max(now - began, 1e-9), run.generation - generation
        if done:
            left = (run.spec.config.search.generations - run.generation) * elapsed / done
            parts += [f"{(run.evaluations - evaluations) / elapsed:,.0f}/s", f"{_clock(left)} left"]
        return ", ".join(parts)


def _clock(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"
