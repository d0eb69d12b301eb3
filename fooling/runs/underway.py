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
from fooling.report.gallery import write_gallery
from fooling.report.png import sync_elites
from fooling.runs.checkpoint import Checkpoint
from fooling.runs.directory import RunDirectory
from fooling.runs.engine import Engine
from fooling.runs.executors import Wishes, is_distributed, open_executor
from fooling.runs.hosting import Recipe, chunk_of
from fooling.runs.interrupts import Interrupts
from fooling.runs.view import RunView
from workers.host import Host
from workers.protocol import Executor

Report = Callable[[RunView], None]
Warn = Callable[[str], None]
_PACKAGES = ("fooling", "torch", "numpy", "numba", "deap", "ray", "pillow")


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
    report: Report | None,
    checkpoint: Checkpoint | None = None,
    warn: Warn | None = None,
) -> RunView:
    """Run the engine from `state` on, in a directory that is locked. The archive is a checkpoint's, where there is
    one."""
    settings, executor, stopping = placed.recipe.settings, placed.executor, placed.stopping
    chunk = chunk_of(settings, host.classifier, executor.evaluators)
    search = searches.create(settings, chunk, host.toolbox, archive)
    if checkpoint is not None:
        search.restore(checkpoint.part("search"))
    if is_distributed(settings):
        directory.logs.mkdir(exist_ok=True)
        executor.log_into(directory.logs)
    report, warn = report or (lambda _: None), warn or (lambda _: None)
    interrupts = Interrupts(stopping)
    writing = interrupts.writing
    engine = Engine(
        directory, manifest, settings, archive, search, executor, state, report, stopping, writing, warn
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
            finish(done)
    return replace(done, status="interrupted") if stopping.is_set() else done


def finish(view: RunView) -> RunView:
    """Write what is made of the state: the images and the gallery."""
    try:
        sync_elites(view)
        if view.generation or len(view.archive.occupied):
            write_gallery([view], RunDirectory(view.directory).gallery)
    except OSError as error:
        raise FoolingError(
            f"can't write in {view.directory}: {error.strerror or error}; the run itself is {view.status}"
        ) from None
    return view


def versions() -> dict[str, str]:
    return {"python": platform.python_version(), **{name: metadata.version(name) for name in _PACKAGES}}
