"""Runs that an audit begins itself: kept as run directories in its folder, and continued where they were interrupted."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fooling.classifiers import Classifier
from fooling.errors import Interrupted
from fooling.runs.handle import RunHandle
from fooling.runs.launch import resume, run
from fooling.store.reading import open_run
from fooling.store.snapshot import Snapshot
from fooling.studies.audit.subject import Elites, Subject, relative
from fooling.text import encoded

ENCODINGS = ("cppn", "direct")


def evolved(
    subject: Subject,
    name: str,
    settings: Mapping[str, Any],
    classifier: Classifier | None = None,
    seed: int | None = None,
) -> Snapshot:
    """A completed run: the one that is there, the rest of it, or a new one; or a run whose classifier gives no more
    answers, as far as it got.

    Args:
        name: of its directory in the folder `runs` of the audit; it may name folders.
        settings: dotted settings, which win over the defaults.
        classifier: searched instead of the subject's.
        seed: of the run (default: the audit's).

    Raises:
        Interrupted: it was stopped, or the user interrupted it.
        FoolingError: it failed.
    """
    subject.go_on()
    path = folder_of(subject) / name
    trust = subject.resources.trust
    begun = path.exists()
    if begun and (found := open_run(path)).status == "completed":
        return found
    subject.say(f"going on with run {name}" if begun else f"run {name}")

    def report(_: Snapshot) -> None:
        if subject.stopping.is_set():
            handle.stop()

    if begun:
        handle = RunHandle(resume, path, trust=trust, classifier=classifier, report=report)
    else:
        own = {} if classifier is not None else {"model": subject.request.model}
        config = _config(subject, name, {"seed": subject.seed if seed is None else seed, **own, **settings})
        handle = RunHandle(run, config, out=path, trust=trust, classifier=classifier, report=report)
    found = handle.compute()
    if found.status != "completed" and not found.reason:
        raise Interrupted
    return found


def _config(subject: Subject, name: str, settings: Mapping[str, Any]) -> Path:
    """A config of a run's settings, beside its directory, so that anybody can repeat it: `fooling run CONFIG`."""
    file = f"runs/{name}.toml"
    lines = [f"{key} = {json.dumps(value, ensure_ascii=False)}\n" for key, value in settings.items()]
    subject.store.write(file, encoded("".join(lines)))
    return subject.store.path / file


def folder_of(subject: Subject) -> Path:
    """Where the audit keeps its runs."""
    return subject.store.path / "runs"


def named(subject: Subject, run: Snapshot) -> str:
    """The directory of a run as a report names it."""
    return relative(run.directory, subject.store.path)


def runs_of(subject: Subject, encoding: str) -> list[Snapshot]:
    """Runs against the bare classifier, in an encoding: those that the user gave, else the audit's own; of a remote
    service, for which the audit begins none, there may be no runs.

    Raises:
        As `evolved`.
    """
    given = [run for run in subject.given if _is_of(run, encoding)]
    if given or subject.access.lacks("many images"):
        return given
    return [
        evolved(subject, f"{encoding}-{number}", bare_settings(subject, encoding), seed=subject.seed + number)
        for number in range(subject.budget.runs)
    ]


def elites_of(subject: Subject) -> list[Elites]:
    """The elites of all runs against the bare classifier, which every part may use.

    Raises:
        As `evolved`.
    """
    return [Elites.of(run) for encoding in ENCODINGS for run in runs_of(subject, encoding)]


def bare_settings(subject: Subject, encoding: str) -> dict[str, Any]:
    """The settings of a run against the bare classifier."""
    budget = subject.budget
    return {
        "encoding.name": encoding,
        "search.name": "map-elites",
        "search.population": budget.population,
        "search.generations": budget.generations,
    }


def _is_of(run: Snapshot, encoding: str) -> bool:
    config = run.spec.config
    return config.search.name == "map-elites" and config.encoding.name == encoding
