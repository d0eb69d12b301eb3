"""Start a run, or continue one: put classifier, encoding, search and executor together."""

from __future__ import annotations

import datetime
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from fooling.classifiers import Classifier, answers
from fooling.classifiers.factory import expect_classifier
from fooling.classifiers.numerics import Numerics
from fooling.classifiers.numerics import resolve as resolve_numerics
from fooling.config import ResolvedSettings, RunSettings, Settings, resolve
from fooling.errors import FoolingError, InvalidError
from fooling.files import sync_directory
from fooling.ready_made import DEFAULT_CONFIG
from fooling.runs.evaluator import Evaluator
from fooling.runs.executors import is_distributed, numerics_here
from fooling.runs.foreign import refuse_cluster, refuse_server
from fooling.runs.hosting import (
    OBJECT,
    Customise,
    HostSpec,
    expect_operators,
    expect_room_for,
    expect_same,
)
from fooling.runs.hosting import resolve as resolve_settings
from fooling.runs.listeners import Listeners
from fooling.runs.underway import evolve, finish, versions
from fooling.store import events
from fooling.store.checkpoint import Checkpoint, Counters, generation_of, saved
from fooling.store.directory import RunDirectory, create, expect_free, locked, open_directory
from fooling.store.reading import newest_checkpoint, open_run, read_lineage, restore
from fooling.store.snapshot import Snapshot, empty_archive
from fooling.store.spec import ClassifierRecord, RunSpec


def run(
    config: str | Path | None = None,
    *,
    out: str | Path | None = None,
    model: str | None = None,
    seed: int | None = None,
    assignments: Iterable[str] = (),
    flags: Mapping[str, Any] | None = None,
    trust: bool = False,
    classifier: Classifier | None = None,
    customise: Customise | None = None,
    listeners: Listeners,
) -> Snapshot:
    """Compute a new run in this thread. `fooling.runs.handle.RunOptions` has the arguments."""
    given = {"model": model, "seed": seed}
    chosen = {**(flags or {}), **{key: value for key, value in given.items() if value is not None}}
    if classifier is not None:
        expect_classifier(classifier)
        chosen["model"] = f"{OBJECT}:{classifier.spec.name}"
    settings = resolve(config if config is not None else DEFAULT_CONFIG, assignments, chosen)
    if out:
        expect_free(Path(out))  # before minutes are spent on networks and workers
    numerics = numerics_here(settings.run)
    host = HostSpec.of(settings, numerics, trust=trust, given=classifier, customise=customise)
    found = host.classifier(expect_room_for(settings))
    for note in found.notes:
        listeners.cluster.notify(f"note: {note}")
    resolved = resolve_settings(settings, found)
    with _evaluator(host, found, resolved, listeners) as evaluator:
        spec = _spec(resolved, evaluator, trust)
        directory = create(Path(out) if out else _fresh(config, settings, classifier), spec)
        with locked(directory):
            archive, _ = empty_archive(spec.config, found.spec)
            return evolve(directory, spec, evaluator, archive, [], listeners)


def resume(
    path: str | Path,
    *,
    trust: bool = False,
    classifier: Classifier | None = None,
    customise: Customise | None = None,
    workers: int | None = None,
    address: str | None = None,
    listeners: Listeners,
) -> Snapshot:
    """Continue a run in this thread. `fooling.runs.handle.ResumeOptions` has the arguments."""
    if classifier is not None:
        expect_classifier(classifier)
    directory, spec = open_directory(Path(path))
    with locked(directory):
        log = events.read(directory.events)
        found, problems = newest_checkpoint(directory, log)
        if log and log[-1]["event"] == "completed" and not problems:
            listeners.began(directory.path)
            return finish(replace(open_run(directory.path), status="completed"), listeners)
        archive, encoding = empty_archive(spec.config, spec.classifier.spec)
        if found:
            restore(spec.config, archive, encoding, found, goes_on=True)
        counters = found.counters if found else Counters()
        _check_logs(directory, counters, spec)
        settings = _moved(spec.config, workers, address)
        if not trust:
            refuse_cluster(directory.path, settings, address)
            refuse_server(directory.path, settings)
        numerics = _numerics_again(spec.numerics, counters.batch, settings.run)
        host = HostSpec.of(settings, numerics, trust=trust, given=classifier, customise=customise)
        again = host.classifier(expect_room_for(settings))
        expect_same(again, spec, directory.path)
        with _evaluator(host, again, settings, listeners) as evaluator:
            expect_operators(evaluator.operators, spec, directory.path)
            notes = _cut_back(directory, spec, evaluator.numerics, found, problems)
            for note in notes:
                listeners.warn(note)
            here = spec.model_copy(update={"config": _placed(settings, evaluator.numerics)})
            return evolve(directory, here, evaluator, archive, notes, listeners, found)


def _evaluator(
    host: HostSpec, classifier: Classifier, settings: ResolvedSettings, listeners: Listeners
) -> Evaluator:
    images = settings.search.population
    host = replace(host, encoding=settings.encoding)
    return Evaluator(host, classifier, settings.run, images, listeners.stopping, listeners.cluster)


def _placed(settings: ResolvedSettings, numerics: Numerics) -> ResolvedSettings:
    """The settings with the device that was found."""
    return settings.model_copy(update={"run": settings.run.model_copy(update={"device": numerics.device})})


def _cut_back(
    directory: RunDirectory,
    spec: RunSpec,
    numerics: Numerics,
    found: Checkpoint | None,
    problems: list[str],
) -> list[str]:
    """Cut a directory back to a checkpoint, or to the beginning.

    Returns:
        What a user should know of it, a line each.
    """
    counters = found.counters if found else Counters()
    _cut_logs(directory, counters)
    for path in saved(directory.checkpoints):
        if generation_of(path) > counters.generation:
            path.unlink()  # damaged, and newer than the one that is used
    for folder in (directory.checkpoints, directory.elites):
        for leftover in folder.glob(".*.tmp"):
            leftover.unlink()
    sync_directory(directory.checkpoints)
    since = f"going on from generation {counters.generation}" if found else "starting over"
    return [*(f"{problem}; {since}" for problem in problems), *_other_numerics(spec, numerics)]


def _moved(settings: ResolvedSettings, workers: int | None, address: str | None) -> ResolvedSettings:
    """The settings of a run that goes on elsewhere."""
    if workers is None and address is None:
        return settings
    run = settings.run.model_copy(update={"workers": workers, "address": address})
    return settings.model_copy(update={"run": run})


def _numerics_again(begun: Numerics, halved: int | None, run: RunSettings) -> Numerics:
    """The numerics that a run began with, on the device that is here; with the batch that memory left it.

    Raises:
        InvalidError: no such device, or a batch that is no half of the first.
    """
    batch = halved or begun.batch
    if batch > begun.batch:
        raise InvalidError(f"state: batch: expected at most the manifest's {begun.batch}, found {batch}")
    try:
        here = resolve_numerics("cpu" if is_distributed(run) else begun.device)
    except InvalidError:
        raise InvalidError(
            f"this run computes on {begun.device} ({begun.device_model}), which torch does not find here; "
            "resume it on a machine that has one"
        ) from None
    return replace(begun, batch=batch, device=here.device, device_model=here.device_model)


def _spec(settings: ResolvedSettings, evaluator: Evaluator, trust: bool) -> RunSpec:
    classifier = evaluator.classifier
    return RunSpec(
        created=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        model=settings.model,
        seed=settings.seed,
        config=_placed(settings, evaluator.numerics),
        classifier=ClassifierRecord(
            spec=classifier.spec,
            fingerprint=classifier.fingerprint,
            answers=tuple(answers.sampled(classifier.answers)),
        ),
        numerics=evaluator.numerics,
        operators=evaluator.operators,
        versions=versions(),
        trust=trust,
    )


def _other_numerics(spec: RunSpec, numerics: Numerics) -> list[str]:
    """What differs between this part and the run's beginning: it may change last bits."""
    notes = []
    here, there = numerics.device_model, spec.numerics.device_model
    if here != there:
        notes.append(f"this part runs on {here}, the run began on {there}: last bits may differ")
    now = versions()
    for name in ("torch", "numba"):
        if now[name] != spec.versions.get(name):
            then = spec.versions.get(name)
            notes.append(f"this part runs with {name} {now[name]}, the run began with {then}")
    return notes


def _fresh(config: str | Path | None, settings: Settings, given: Classifier | None) -> Path:
    """A directory under runs/ that does not exist yet. Its name begins with that of a classifier which was given as such,
    since the name of a config says nothing of that classifier."""
    own = re.sub(r"\W+", "-", given.spec.name)[:40].strip("-") if given is not None else ""
    parts = [
        own,
        "" if own and config is None else Path(config or DEFAULT_CONFIG).stem,
        f"seed{settings.seed}",
    ]
    base = Path("runs") / "-".join(filter(None, parts))
    path, number = base, 1
    while path.exists():
        number += 1
        path = base.with_name(f"{base.name}-{number}")
    return path


def _check_logs(directory: RunDirectory, counters: Counters, spec: RunSpec) -> None:
    """Whether both logs reach to where a checkpoint knows of them, and tell of the run up to there.

    Raises:
        InvalidError: they don't, or can't be written without writing in another directory.
    """
    classes = len(spec.classifier.spec.labels)
    logs = {directory.events: counters.events_bytes, directory.lineage: counters.lineage_bytes}
    for file, length in logs.items():
        found = file.stat() if file.exists() else None
        if found is None or found.st_size < length:
            size = 0 if found is None else found.st_size
            raise InvalidError(
                f"{file} can't be what this run wrote: it has {size} bytes, the checkpoint knows of "
                f"{length}; nothing was changed"
            )
        if found.st_nlink > 1:
            raise InvalidError(
                f"{file} is also a file elsewhere (a hard link), which would change with it; resume a copy"
            )
    read_lineage(directory.lineage, counters, classes, spec.config)
    log = events.generations(events.read(directory.events, counters.events_bytes), classes, directory.events)
    last = log[-1]["generation"] if log else -1
    if last != counters.generation or not events.ends_at(directory.events, counters.events_bytes):
        raise InvalidError(
            f"{directory.events} can't be what this run wrote: expected generation {counters.generation} and the end "
            f"of a line before byte {counters.events_bytes}, as the checkpoint says, found generation {last}; "
            "nothing was changed"
        )


def _cut_logs(directory: RunDirectory, counters: Counters) -> None:
    """Cut the logs back to what a checkpoint knows of them."""
    try:
        os.truncate(directory.events, counters.events_bytes)
        os.truncate(directory.lineage, counters.lineage_bytes)
    except OSError as error:
        raise FoolingError(f"{directory.path} can't be resumed: {error.strerror or error}") from None
