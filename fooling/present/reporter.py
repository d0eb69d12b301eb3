"""Progress where there is no command line: one place of a notebook that is updated, or plain lines on stderr."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from fooling.present.notebook import card
from fooling.present.pace import Pace
from fooling.store.snapshot import Snapshot
from fooling.studies.protocol import Progress
from fooling.terminal import tell
from fooling.text import plain

_NOTEBOOK_SECONDS, _LINE_SECONDS = 0.5, 10.0


@dataclass(frozen=True)
class _Shown:
    """What a display shows: `display` asks for both forms."""

    text: str

    def __repr__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        return card(self.text)


class Reporter:
    """Tells how far a run or a study is: `fooling.run(..., report=fooling.Reporter())`.

    In a notebook a reporter updates one line beneath the cell in which it was made; a run there has a reporter unless its
    caller passes another `report`. Elsewhere a reporter prints a line on stderr every ten seconds.
    """

    def __init__(self) -> None:
        self._pace, self._last = Pace(), 0.0
        self._display: Any = None
        if in_notebook():
            display = import_module("IPython.display").display
            self._display = display(_Shown("loading the classifier"), display_id=True)

    def __call__(self, step: Snapshot | Progress) -> None:
        """Show a generation of a run or a step of a study, at most every so often; the last one always."""
        now = time.monotonic()
        if isinstance(step, Snapshot):
            self._pace.see(step, now)
            done, total = step.generation, step.spec.config.search.generations
        else:
            done, total = step.done, step.total
        pause = _LINE_SECONDS if self._display is None else _NOTEBOOK_SECONDS
        if now - self._last < pause and done < total:
            return
        self._last = now
        if isinstance(step, Snapshot):
            text = f"generation {done}/{total}: {self._pace.state(step, now)}"
        else:
            text = f"{done} of {total}: {step.text}"
        if self._display is None:
            tell(text)
        else:
            self._display.update(_Shown(plain(text)))


def in_notebook() -> bool:
    """Whether a kernel runs this, which can update what it has shown; IPython in a terminal can't."""
    ipython = sys.modules.get("IPython")  # without it in here there is no notebook
    shell = ipython.get_ipython() if ipython is not None else None
    return getattr(shell, "kernel", None) is not None
