"""What a user sees of a run under way: a live bar on a terminal, plain lines elsewhere, or nothing."""

from __future__ import annotations

import sys
import time
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING

from fooling.present.pace import Pace
from fooling.terminal import console, tell

if TYPE_CHECKING:
    from rich import progress

    from fooling.store.snapshot import Snapshot

LINE_SECONDS = 10.0  # between plain lines
BAR_SECONDS = 0.1
LOADING = "loading the classifier and the kernels (compiled once per machine)"
COMPILING = "compiling kernels (once per machine) ..."


class Progress:
    """Reports a run's generations on stderr. A context manager; `update` is called after each one."""

    def __init__(self, quiet: bool) -> None:
        self._quiet, self._live = quiet, not quiet and sys.stderr.isatty()
        self._last = 0.0
        self._bar: progress.Progress | None = None
        self._pace = Pace()
        self._says_compiling = False

    def __enter__(self) -> Progress:
        if self._live:
            self._bar = _bar()
            self._bar.start()
            self._bar.add_task(LOADING, total=None, state="")
        elif not self._quiet:
            tell(LOADING)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            with suppress(OSError):  # its terminal was closed
                self._bar.stop()

    def warn(self, message: str) -> None:
        """A line that the user should see, even with --quiet."""
        tell(f"warning: {message}")

    def tell(self, message: str) -> None:
        """A line about what is waited for."""
        tell(message)

    def compiling(self) -> None:
        """Say why nothing moves for some seconds; again only when something has moved since."""
        if self._quiet or self._says_compiling:
            return
        self._says_compiling = True
        if self._bar is None:
            tell(COMPILING)
        else:
            self._bar.update(self._bar.task_ids[0], description=COMPILING)

    def update(self, view: Snapshot) -> None:
        """Show a generation, at most every so often; the last one always."""
        now = time.monotonic()
        self._pace.see(view, now)
        last = view.generation >= view.spec.config.search.generations
        pause = BAR_SECONDS if self._bar else LINE_SECONDS
        if self._quiet or (now - self._last < pause and not last):
            return
        self._last, self._says_compiling = now, False
        state = self._pace.state(view, now)
        if self._bar is None:
            tell(f"generation {view.generation}/{view.spec.config.search.generations}  {state}")
        else:
            self._bar.update(
                self._bar.task_ids[0],
                description=f"{view.generation}/{view.spec.config.search.generations}",
                completed=view.generation,
                total=view.spec.config.search.generations,
                state=state,
            )


def _bar() -> progress.Progress:
    """A bar that fits 80 columns and is gone when the run is over."""
    from rich.progress import BarColumn, Progress, TextColumn

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(14),
        TextColumn("{task.fields[state]}", markup=False),
    )
    return Progress(*columns, console=console(sys.stderr), transient=True)
