"""A run under way: its executor opened, its engine run, its pictures made; what starting and resuming share."""

from __future__ import annotations

import platform
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib import metadata

from fooling import search as searches
from fooling.archive import Archive
from fooling.errors import FoolingError
from fooling.runs.engine import Engine
from fooling.runs.executors import Wishes, is_distributed, open_executor
from fooling.runs.hosting import Recipe, chunk_of
from fooling.runs.interrupts import Interrupts
from fooling.store import events
from fooling.store.checkpoint import Checkpoint, Counters
from fooling.store.directory import RunDirectory
from fooling.store.elites import sync_elites
from fooling.store.snapshot import Snapshot
from fooling.store.spec import RunSpec
from workers.host import Host
from workers.protocol import Executor

Report = Callable[[Snapshot], None]
Warn = Callable[[str], None]
_PACKAGES = ("fooling", "torch", "numpy", "numba", "deap", "ray", "pillow")


def _ignore(_: object) -> None:
    pass


@dataclass(frozen=True)
class Listeners:
    """Who is told of a run.

    Attributes:
        report: called with a view of the run after each generation.
        warn: called with each thing that the user should know, one line each.
        pages: called with a view of the run at its end, to write pages beside it.
    """

    report: Report = _ignore
    warn: Warn = _ignore
    pages: Report = _ignore

    @classmethod
    def of(cls, report: Report | None, warn: Warn | None, pages: Report | None) -> Listeners:
        """With nobody where there is None."""
        return cls(report or _ignore, warn or _ignore, pages or _ignore)


@dataclass(frozen=True)
class Placed:
    """A run with an executor: the recipe has the numerics that it computes with."""

    recipe: Recipe
    executor: Executor
    stopping: threading.Event


@contextmanager
def placed(recipe: Recipe, images: int, host: Host, wishes: Wishes | None) -> Iterator[Placed]:
    """The executor of a run, closed afterwards."""
    stopping = threading.Event()
    executor, numerics = open_executor(recipe, images, host, stopping, wishes or Wishes())
    try:
        run = recipe.settings.run.model_copy(update={"device": numerics.device})
        settings = recipe.settings.model_copy(update={"run": run})
        yield Placed(replace(recipe, settings=settings, numerics=numerics), executor, stopping)
    finally:
        executor.close()


def evolve(
    directory: RunDirectory,
    spec: RunSpec,
    placed: Placed,
    host: Host,
    archive: Archive,
    warnings: list[str],
    listeners: Listeners,
    checkpoint: Checkpoint | None = None,
) -> Snapshot:
    """Run the engine, in a directory that is locked, from a checkpoint on where there is one, which the archive is
    of."""
    settings = spec.config.model_copy(update={"run": placed.recipe.settings.run})
    executor, stopping = placed.executor, placed.stopping
    chunk = chunk_of(settings, host.classifier, executor.evaluators)
    search = searches.create(settings.search, settings.encoding, settings.seed, chunk, host.toolbox, archive)
    if checkpoint is not None:
        search.restore(checkpoint.part("search"))
    if is_distributed(settings):
        directory.logs.mkdir(exist_ok=True)
        executor.log_into(directory.logs)
    curve = events.generations(events.read(directory.events), len(archive), directory.events)
    interrupts = Interrupts(stopping)
    writing = interrupts.writing
    engine = Engine(
        directory,
        spec.model_copy(update={"config": settings}),
        archive,
        search,
        executor,
        checkpoint.counters if checkpoint else Counters(),
        curve,
        listeners.report,
        stopping,
        writing,
        listeners.warn,
    )
    with interrupts.heard():
        try:
            if checkpoint is not None or warnings:
                generation = checkpoint.counters.generation if checkpoint else -1
                engine.note("resume", generation=generation, versions=versions())
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
