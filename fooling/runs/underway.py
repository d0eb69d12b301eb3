"""A run under way: its executor opened, its engine run, its pictures made; what starting and resuming share."""

from __future__ import annotations

import platform
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib import metadata
from typing import Any

from fooling import search as searches
from fooling.archive import Archive
from fooling.errors import FoolingError
from fooling.runs.engine import Engine
from fooling.runs.executors import Wishes, is_distributed, open_executor
from fooling.runs.hosting import Recipe, chunk_of
from fooling.runs.interrupts import Interrupts
from fooling.store.checkpoint import Checkpoint
from fooling.store.directory import RunDirectory
from fooling.store.elites import sync_elites
from fooling.store.view import RunView
from workers.host import Host
from workers.protocol import Executor

Report = Callable[[RunView], None]
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
def placed(recipe: Recipe, host: Host, wishes: Wishes | None) -> Iterator[Placed]:
    """The executor of a run, closed afterwards."""
    stopping = threading.Event()
    executor, numerics = open_executor(recipe, host, stopping, wishes or Wishes())
    try:
        run = recipe.settings.run.model_copy(update={"device": numerics.device})
        settings = recipe.settings.model_copy(update={"run": run})
        yield Placed(replace(recipe, settings=settings, numerics=numerics), executor, stopping)
    finally:
        executor.close()


def evolve(
    directory: RunDirectory,
    manifest: dict[str, Any],
    placed: Placed,
    host: Host,
    archive: Archive,
    state: dict[str, Any],
    warnings: list[str],
    listeners: Listeners,
    checkpoint: Checkpoint | None = None,
) -> RunView:
    """Run the engine from `state` on, in a directory that is locked. The archive is a checkpoint's, where there is
    one."""
    settings, executor, stopping = placed.recipe.settings, placed.executor, placed.stopping
    chunk = chunk_of(settings, host.classifier, executor.evaluators)
    search = searches.create(settings.search, settings.encoding, settings.seed, chunk, host.toolbox, archive)
    if checkpoint is not None:
        search.restore(checkpoint.part("search"))
    if is_distributed(settings):
        directory.logs.mkdir(exist_ok=True)
        executor.log_into(directory.logs)
    interrupts = Interrupts(stopping)
    writing = interrupts.writing
    engine = Engine(
        directory,
        manifest,
        settings,
        archive,
        search,
        executor,
        state,
        listeners.report,
        stopping,
        writing,
        listeners.warn,
    )
    with interrupts.heard():
        try:
            if state["generation"] >= 0 or warnings:
                engine.note("resume", generation=state["generation"], versions=versions())
            for warning in warnings:
                engine.note("warning", message=warning)
            done = engine.run()
        finally:
            engine.close()
        with interrupts.writing():
            finish(done, listeners)
    return replace(done, status="interrupted") if stopping.is_set() else done


def finish(view: RunView, listeners: Listeners) -> RunView:
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
