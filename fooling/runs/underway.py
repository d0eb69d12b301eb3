"""A run under way: its engine run, its pictures made; what starting and resuming share."""

from __future__ import annotations

import platform
from dataclasses import replace
from importlib import metadata

from fooling import search as searches
from fooling.archive import Archive
from fooling.errors import FoolingError
from fooling.runs.engine import Engine
from fooling.runs.evaluator import Evaluator
from fooling.runs.executors import is_distributed
from fooling.runs.hosting import chunk_of
from fooling.runs.interrupts import Interrupts
from fooling.runs.listeners import Listeners
from fooling.store import events
from fooling.store.checkpoint import Checkpoint, Counters
from fooling.store.directory import RunDirectory
from fooling.store.elites import sync_elites
from fooling.store.snapshot import Snapshot
from fooling.store.spec import RunSpec

_PACKAGES = ("fooling", "torch", "numpy", "numba", "deap", "ray", "pillow")


def evolve(
    directory: RunDirectory,
    spec: RunSpec,
    evaluator: Evaluator,
    archive: Archive,
    warnings: list[str],
    listeners: Listeners,
    checkpoint: Checkpoint | None = None,
) -> Snapshot:
    """Run the engine in a directory that is locked.

    Args:
        spec: of the run, where it is computed now.
        archive: empty, or restored from the checkpoint.
        warnings: lines that the log is to keep.
        checkpoint: what the run goes on from; None: it begins.
    """
    settings, executor, stopping = spec.config, evaluator.executor, listeners.stopping
    chunk = chunk_of(settings, evaluator.classifier, executor.evaluators)
    toolbox = evaluator.host.toolbox
    search = searches.create(settings.search, settings.encoding, settings.seed, chunk, toolbox, archive)
    if checkpoint is not None:
        search.restore(checkpoint.part("search"))
    if is_distributed(settings.run):
        directory.logs.mkdir(exist_ok=True)
        executor.log_into(directory.logs)
    listeners.began(directory.path)
    counters = checkpoint.counters if checkpoint else Counters()
    curve = events.generations(events.read(directory.events), len(archive), directory.events)
    interrupts = Interrupts(stopping)
    engine = Engine(
        directory, spec, archive, search, executor, counters, curve, listeners, interrupts.writing
    )
    with interrupts.heard():
        try:
            if checkpoint is not None or warnings:
                engine.note("resume", generation=counters.generation, versions=versions())
            for warning in warnings:
                engine.note("warning", message=warning)
            done = engine.run()
        finally:
            engine.close()
        with interrupts.writing():
            finish(done, listeners)
    return replace(done, status="interrupted") if stopping.is_set() else done


def finish(view: Snapshot, listeners: Listeners) -> Snapshot:
    """Write what is made of the state: the images, and the pages beside them."""
    try:
        sync_elites(view)
        if view.generation or len(view.archive.occupied):
            listeners.pages(view)
    except OSError as error:
        raise FoolingError(
            f"can't write in {view.directory}: {error.strerror or error}; the run itself is {view.status}"
        ) from None
    return view


def versions() -> dict[str, str]:
    return {"python": platform.python_version(), **{name: metadata.version(name) for name in _PACKAGES}}
