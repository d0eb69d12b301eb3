"""What a user sees of a run under way: a live bar on a terminal, plain lines elsewhere, or nothing."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.status import Status

    from fooling.runs.view import RunView

LINE_SECONDS = 10.0  # between plain lines
BAR_SECONDS = 0.1


class Progress:
    """Reports a run's generations on stderr. A context manager; `update` is called after each one."""

    def __init__(self, quiet: bool) -> None:
        self._quiet, self._live = quiet, not quiet and sys.stderr.isatty()
        self._last = 0.0
        self._started = time.monotonic()
        self._first: tuple[int, int] | None = None
        self._bar: Status | None = None

    def __enter__(self) -> Progress:
        if self._live:
            from rich.console import Console
            from rich.status import Status

            self._bar = Status("loading the classifier and the kernels ...", console=Console(stderr=True))
            self._bar.start()
        elif not self._quiet:
            self._line("loading the classifier and the kernels")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def warn(self, message: str) -> None:
        """A line that the user should see, even with --quiet."""
        print(f"warning: {message}", file=sys.stderr, flush=True)

    def update(self, view: RunView) -> None:
        """Show a generation, at most every so often; the last one always."""
        if self._quiet:
            return
        now = time.monotonic()
        last = view.generation >= view.settings.search.generations
        if now - self._last < (BAR_SECONDS if self._bar else LINE_SECONDS) and not last:
            return
        self._last = now
        if self._bar is not None:
            self._bar.update(self._text(view, now))
        else:
            self._line(self._text(view, now))

    def _text(self, view: RunView, now: float) -> str:
        from fooling.report.confidence import format_confidence
        from fooling.runs.statistics import describe

        total = view.settings.search.generations
        if self._first is None:  # what came before this part of the run says nothing of its speed
            self._first, self._started = (view.generation, view.evaluations), now
        done, elapsed = view.evaluations - self._first[1], max(now - self._started, 1e-9)
        generations = view.generation - self._first[0]
        statistics = describe(view.confidence)
        parts = [
            f"generation {view.generation}/{total}",
            f"median {format_confidence(statistics['median'])}",
            f">=0.99: {statistics['at_least_0.99']}",
            f">=0.9999: {statistics['at_least_0.9999']} of {len(view.labels)}",
        ]
        if generations:
            parts.append(f"{done / elapsed:,.0f}/s")
            parts.append(f"{_clock((total - view.generation) * elapsed / generations)} left")
        return "  ".join(parts)

    def _line(self, text: str) -> None:
        print(text, file=sys.stderr, flush=True)


def _clock(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"
