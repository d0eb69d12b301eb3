"""Start a run, or continue one: put classifier, encoding, search and executor together."""

from __future__ import annotations

import datetime
import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from fooling import classifiers
from fooling.archive import Archive
from fooling.classifiers import answers
from fooling.classifiers.factory import expect_classifier
from fooling.classifiers.numerics import Numerics
from fooling.classifiers.numerics import resolve as resolve_numerics
from fooling.config import ResolvedSettings, Settings, resolve
from fooling.errors import FoolingError, InvalidError
from fooling.files import sync_directory
from fooling.ready_made import DEFAULT_CONFIG
from fooling.runs.executors import Wishes, is_distributed, numerics_here
from fooling.runs.foreign import refuse_cluster, refuse_server
from fooling.runs.hosting import OBJECT, Customise, Recipe, expect_same
from fooling.runs.hosting import resolve as resolve_settings
from fooling.runs.underway import Listeners, Placed, Report, Warn, evolve, finish, placed, versions
from fooling.store import events
from fooling.store.checkpoint import Checkpoint, Counters, generation_of, saved
from fooling.store.directory import RunDirectory, create, expect_free, locked, open_directory
from fooling.store.reading import newest_checkpoint, open_run, read_lineage, restore
from fooling.store.snapshot import Snapshot, empty_archive
from fooling.store.spec import ClassifierRecord, RunSpec
from workers.host import Host


def run(
    config: str | Path | None = None,
    *,
    out: str | Path | None = None,
    assignments: Iterable[str] = (),
    flags: Mapping[str, Any] | None = None,
    trust: bool = False,
    classifier: classifiers.Classifier | None = None,
    customise: Customise | None = None,
    report: Report | None = None,
    warn: Warn | None = None,
    pages: Report | None = None,
    wishes: Wishes | None = None,
) -> Snapshot:
    """Evolve fooling images, in a run directory of its own.

    Args:
        config: the name of a ready-made config or the path of a TOML file (default: mnist-cppn).
        out: the run directory to make (default: a new one under `runs/`).
        assignments: settings like "search.generations=60".
        flags: dotted keys and values, which win over `assignments`.
        trust: let the model bring code of its own.
        classifier: the classifier itself, in place of the settings' `model`.
        customise: called with the DEAP toolbox before the run, to swap operators.
        report: called with a view of the run after each generation.
        pages: called with a view of the run at its end, to write pages beside it (`fooling.run` writes the gallery).
        warn: called with each thing that the user should know, one line each; the run's log keeps them.
        wishes: about the cluster, where it is computed on one.

    Raises:
        FoolingError: see its subclasses; the message is one line.
    """
    if classifier is not None:
        expect_classifier(classifier)
        flags = {**(flags or {}), "model": f"{OBJECT}:{classifier.spec.name}"}
    settings = resolve(config if config is not None else DEFAULT_CONFIG, assignments, flags)
    if out:
        expect_free(Path(out))  # before minutes are spent on networks and workers
    recipe = Recipe(settings, numerics_here(settings), trust, classifier, customise)
    classifier = recipe.classifier()
    for note in classifier.notes:
        (wishes or Wishes()).notify(f"note: {note}")
    resolved = resolve_settings(settings, classifier)
    recipe = replace(recipe, settings=resolved)
    host, swapped = recipe.host(classifier)
    listeners = Listeners.of(report, warn, pages)
    with placed(recipe, resolved.search.population, host, wishes) as site:
        recipe = site.recipe
        spec = _spec(recipe, resolved, classifier, swapped)
        directory = create(Path(out) if out else _fresh(config, settings), spec)
        with locked(directory):
            archive, _ = empty_archive(spec.config, classifier.spec)
            return evolve(directory, spec, site, host, archive, [], listeners)


def resume(
    path: str | Path,
    *,
    trust: bool = False,
    classifier: classifiers.Classifier | None = None,
    customise: Customise | None = None,
    report: Report | None = None,
    warn: Warn | None = None,
    pages: Report | None = None,
    workers: int | None = None,
    address: str | None = None,
    wishes: Wishes | None = None,
) -> Snapshot:
    """Continue a run to the same end that it would have had without the interruption.

    `trust` lets the model bring code of its own, and what the manifest says of a cluster or a server be believed: it
    is given anew each time, whatever the manifest says, for a run directory may come from a stranger.
    `classifier` and `customise` are needed again where `run` was given them. A completed run is only read.
    `warn` is called with each thing that the user should know, one line each; the run's log keeps them.
    `workers` and `address` say where it is computed from now on (default: as before).

    Raises:
        FoolingError: see its subclasses; the message is one line.
    """
    if classifier is not None:
        expect_classifier(classifier)
    listeners = Listeners.of(report, warn, pages)
    directory, spec = open_directory(Path(path))
    with locked(directory):
        log = events.read(directory.events)
        found, problems = newest_checkpoint(directory, log)
        if log and log[-1]["event"] == "completed" and not problems:
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
        numerics = _numerics_again(spec.numerics, counters.batch, settings)
        recipe = Recipe(settings, numerics, trust, classifier, customise)
        classifier = recipe.classifier()
        expect_same(classifier, spec, directory.path)
        host, swapped = recipe.host(classifier)
        if swapped != spec.operators:
            raise InvalidError(
                f"{directory.path} was made with the operators {spec.operators or 'of the encoding'}, "
                f"found {swapped or 'those of the encoding'}; pass the same `customise`"
            )
        with placed(recipe, settings.search.population, host, wishes) as site:
            return _go_on(directory, spec, site, host, archive, found, problems, listeners)


def _go_on(
    directory: RunDirectory,
    spec: RunSpec,
    site: Placed,
    host: Host,
    archive: Archive,
    found: Checkpoint | None,
    problems: list[str],
    listeners: Listeners,
) -> Snapshot:
    """Cut the directory back to a checkpoint, then run the engine."""
    counters = found.counters if found else Counters()
    _cut_logs(directory, counters)
    for path_ in saved(directory.checkpoints):
        if generation_of(path_) > counters.generation:
            path_.unlink()  # damaged, and newer than the one that is used
    for folder in (directory.checkpoints, directory.elites):
        for leftover in folder.glob(".*.tmp"):
            leftover.unlink()
    sync_directory(directory.checkpoints)
    since = f"going on from generation {counters.generation}" if found else "starting over"
    notes = [
        *(f"{problem}; {since}" for problem in problems),
        *_other_numerics(spec, site.recipe.numerics),
    ]
    for note in notes:
        listeners.warn(note)
    return evolve(directory, spec, site, host, archive, notes, listeners, found)


def _moved(settings: ResolvedSettings, workers: int | None, address: str | None) -> ResolvedSettings:
    """The settings of a run that goes on elsewhere."""
    if workers is None and address is None:
        return settings
    run = settings.run.model_copy(update={"workers": workers, "address": address})
    return settings.model_copy(update={"run": run})


def _numerics_again(begun: Numerics, halved: int | None, settings: Settings) -> Numerics:
    """The numerics that a run began with, on the device that is here; with the batch that memory left it.

    Raises:
        InvalidError: no such device, or a batch that is no half of the first.
    """
    batch = halved or begun.batch
    if batch > begun.batch:
        raise InvalidError(f"state: batch: expected at most the manifest's {begun.batch}, found {batch}")
    try:
        here = resolve_numerics("cpu" if is_distributed(settings) else begun.device)
    except InvalidError:
        raise InvalidError(
            f"this run computes on {begun.device} ({begun.device_model}), which torch does not find here; "
            "resume it on a machine that has one"
        ) from None
    return replace(begun, batch=batch, device=here.device, device_model=here.device_model)


def _spec(
    recipe: Recipe, settings: ResolvedSettings, classifier: classifiers.Classifier, swapped: dict[str, str]
) -> RunSpec:
    return RunSpec(
        created=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        model=settings.model,
        seed=settings.seed,
        config=settings.model_copy(update={"run": recipe.settings.run}),
        classifier=ClassifierRecord(
            spec=classifier.spec,
            fingerprint=classifier.fingerprint,
            answers=tuple(answers.sampled(classifier.answers)),
        ),
        numerics=recipe.numerics,
        operators=swapped,
        versions=versions(),
        trust=recipe.trust,
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


def _fresh(config: str | Path | None, settings: Settings) -> Path:
    """A name under runs/ that is not taken."""
    base = Path("runs") / f"{Path(config or DEFAULT_CONFIG).stem}-seed{settings.seed}"
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


__all__ = ["Report", "Wishes", "resume", "run"]
