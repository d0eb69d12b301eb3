"""What the process of a job computes: a run, or a study of runs in the folder."""

from __future__ import annotations

import logging
import signal
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
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
    from fooling.api import RunHandle

_LOOK = 0.05  # seconds between two looks whether a run computes


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
    """A request to end after a checkpoint; SIGTERM makes it too, as when the machine stops."""

    def __init__(self) -> None:
        self.event = threading.Event()
        self._pass_on: Callable[[], None] = lambda: None
        signal.signal(signal.SIGTERM, lambda number, frame: self.ask())

    def ask(self) -> None:
        """Make it; may be called from any thread."""
        self.event.set()
        self._pass_on()

    def reaches(self, pass_on: Callable[[], None]) -> None:
        """Have it passed on, also one that was made before."""
        self._pass_on = pass_on
        if self.event.is_set():
            pass_on()


def compute_run(
    places: Places, submission: Submission, means: Means, stop: Stop, begun: Callable[[], None]
) -> Outcome:
    """Begin a run, or go on with it.

    Args:
        begun: called when the run computes.

    Raises:
        FoolingError: it can't be computed.
    """
    handle = _start(places.root / submission.directory, submission.request, means)
    stop.reaches(handle.stop)
    while handle.status == "running" and handle.directory is None:
        time.sleep(_LOOK)
    if handle.directory is not None:
        begun()
    found = handle.result()
    return Outcome(State.COMPLETED if found.status == "completed" else State.RUNNING, found.reason)


def _start(directory: Path, request: dict[str, Any], means: Means) -> RunHandle:
    from fooling import api
    from fooling.runs.executors import ClusterOptions

    cluster, flags = ClusterOptions(notify=_tell), run_flags(request)
    if (directory / "manifest.json").exists():
        # On a cluster that was named, all of it is used; else here, whatever was named when it began.
        workers = None if means.address is not None else flags.get("run.workers", 0)
        return api.RunHandle.resume(
            directory,
            trust=means.trust,
            workers=workers,
            address=means.address,
            warn=_tell,
            pages=api.beside,
            cluster=cluster,
        )
    if means.address is not None:
        flags["run.address"] = means.address
    config = request.get("config") or DEFAULT_CONFIG
    return api.start(config, out=directory, flags=flags, trust=means.trust, warn=_tell, cluster=cluster)


def compute_study(
    places: Places, submission: Submission, means: Means, stop: Stop, begun: Callable[[], None]
) -> Outcome:
    """Ask a question, and keep the answer in the job's folder; in it, runs have their ids.

    Raises:
        FoolingError: it can't be answered.
    """
    from fooling import studies
    from fooling.errors import Interrupted
    from fooling.studies.protocol import Progress as Step
    from fooling.studies.protocol import Resources

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
    if "out" in study.Request.model_fields:  # what it keeps there, it does not do again after a restart
        asked["out"] = str(files.work)
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
    logging.getLogger(__name__).info(line)
