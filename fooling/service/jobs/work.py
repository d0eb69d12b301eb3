"""What the process of a job computes: a run, or a study of runs in the folder."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fooling.files import json_bytes, replacing
from fooling.ready_made import DEFAULT_CONFIG
from fooling.service.jobs.launching import Means
from fooling.service.jobs.models import Progress, State
from fooling.service.jobs.places import Places
from fooling.service.jobs.records import Submission, canonical
from fooling.text import plain
from fooling.untrusted import parse_model

if TYPE_CHECKING:
    from fooling.store.snapshot import Snapshot


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
        self.event = threading.Event()
        self._missed = False
        signal.signal(signal.SIGTERM, self._note)

    def ask(self) -> None:
        """Make it."""
        self.event.set()
        os.kill(os.getpid(), signal.SIGTERM)

    def heed(self) -> None:
        """Pass a request on that was made when no run heard it yet."""
        if self._missed:
            self._missed = False
            signal.raise_signal(signal.SIGTERM)

    def _note(self, number: int, frame: object) -> None:
        """What SIGTERM does while no run hears it; it comes also when the machine stops."""
        self._missed = True
        self.event.set()


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

    def report(view: Snapshot) -> None:
        stop.heed()

    if stop.event.is_set():
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


def compute_study(
    places: Places, submission: Submission, means: Means, stop: Stop, begun: Callable[[], None]
) -> Outcome:
    """Ask a question, and keep the answer in the job's folder; in it, runs have their ids.

    Raises:
        FoolingError: it can't be answered.
    """
    from fooling import studies
    from fooling.studies.protocol import Progress as Step
    from fooling.studies.protocol import Resources
    from workers.protocol import Interrupted

    study, files = studies.find(submission.kind), places.job(submission.id)
    begun()
    paths = {id: str(places.root / directory) for id, directory in submission.runs.items()}
    ids = {path: id for id, path in paths.items()}

    def report(step: Step) -> None:
        text = ids.get(step.text, step.text)
        progress = Progress(done=step.done, total=step.total, text=plain(text)[:400])
        with replacing(files.progress) as file:
            file.write(json_bytes(progress.model_dump()))

    asked = renamed(submission.request, paths)
    request = parse_model(study.Request, canonical(asked), f"the {submission.kind}")
    try:
        resources = Resources(trust=means.trust, address=means.address, notify=_tell)
        result = study.study(request, report=report, stopping=stop.event, resources=resources)
    except Interrupted:
        return Outcome(State.RUNNING)
    with replacing(files.result, durable=True) as file:
        file.write(json_bytes(renamed(result.document(), ids)))
    return Outcome(State.COMPLETED)


def renamed(data: Any, names: Mapping[str, str]) -> Any:
    """JSON-like data in which texts that are names are replaced."""
    if isinstance(data, str):
        return names.get(data, data)
    if isinstance(data, Mapping):
        return {names.get(key, key): renamed(value, names) for key, value in data.items()}
    return [renamed(value, names) for value in data] if isinstance(data, list | tuple) else data


def run_flags(request: dict[str, Any]) -> dict[str, Any]:
    """The settings that a request for a run gives, by dotted key."""
    own = {key: request[key] for key in ("model", "seed") if request.get(key) is not None}
    return {**request.get("set", {}), **own}


def _tell(line: str) -> None:
    print(line, flush=True)
