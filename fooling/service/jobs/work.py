"""What the process of a job computes: a run, or a study of runs in the folder."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fooling.ready_made import DEFAULT_CONFIG
from fooling.service.jobs.launching import Means
from fooling.service.jobs.models import State
from fooling.service.jobs.places import Places
from fooling.service.jobs.records import Submission

if TYPE_CHECKING:
    from fooling.store.view import RunView


@dataclass(frozen=True)
class Outcome:
    """How the work ended.

    Attributes:
        state: completed, failed, or running where it was stopped before its end.
        reason: of a failure, or of an end that nobody asked for.
    """

    state: State
    reason: str = ""


class Stop:
    """A request to end after a checkpoint; may be made from any thread."""

    def __init__(self) -> None:
        self._asked = self._missed = False
        signal.signal(signal.SIGTERM, self._note)

    @property
    def is_asked(self) -> bool:
        """Whether it was made."""
        return self._asked

    def ask(self) -> None:
        """Make it."""
        self._asked = True
        os.kill(os.getpid(), signal.SIGTERM)

    def heed(self) -> None:
        """Pass a request on that was made when no run heard it yet."""
        if self._missed:
            self._missed = False
            signal.raise_signal(signal.SIGTERM)

    def _note(self, number: int, frame: object) -> None:
        """What SIGTERM does while no run hears it; it comes also when the machine stops."""
        self._asked = self._missed = True


def compute_run(
    places: Places, submission: Submission, means: Means, stop: Stop, begun: Callable[[], None]
) -> Outcome:
    """Begin a run, or go on with it.

    Args:
        begun: called when everything heavy is imported.

    Raises:
        FoolingError: it can't be computed.
    """
    from fooling import api

    begun()
    directory = places.root / submission.directory
    flags = run_flags(submission.request)

    def report(view: RunView) -> None:
        stop.heed()

    if stop.is_asked:
        return Outcome(State.RUNNING)
    if (directory / "manifest.json").exists():
        workers = flags.get("run.workers") if means.address is None else None
        view = api.resume(
            directory,
            trust=means.trust,
            address=means.address,
            workers=0 if means.address is None and workers is None else workers,
            report=report,
            warn=_tell,
        )
    else:
        if means.address is not None:
            flags["run.address"] = means.address
        config = submission.request.get("config") or DEFAULT_CONFIG
        view = api.run(config, out=directory, flags=flags, trust=means.trust, report=report, warn=_tell)
    return Outcome(State.COMPLETED if view.status == "completed" else State.RUNNING, view.reason)


def run_flags(request: dict[str, Any]) -> dict[str, Any]:
    """The settings that a request for a run gives, by dotted key."""
    own = {key: request[key] for key in ("model", "seed") if request.get(key) is not None}
    return {**request.get("set", {}), **own}


def _tell(line: str) -> None:
    print(line, flush=True)
