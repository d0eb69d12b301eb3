"""Start a run, or continue one: put classifier, encoding, search and executor together."""

from __future__ import annotations

import datetime
import os
import platform
import signal
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from importlib import metadata
from pathlib import Path
from typing import Any

from fooling import classifiers
from fooling import search as searches
from fooling.classifiers.numerics import Numerics
from fooling.classifiers.numerics import resolve as resolve_numerics
from fooling.config import DEFAULT_CONFIG, Settings, resolve, validate
from fooling.errors import FoolingError, InvalidError
from fooling.files import sync_directory
from fooling.report.gallery import write_gallery
from fooling.report.png import sync_elites
from fooling.runs import events
from fooling.runs.checkpoint import generation_of, saved
from fooling.runs.directory import RunDirectory, create, locked, open_directory
from fooling.runs.engine import Engine
from fooling.runs.hosting import OBJECT, Customise, Recipe, chunk_of, evaluators_of, settle
from fooling.runs.view import (
    RunView,
    empty_archive,
    new_state,
    newest_checkpoint,
    open_run,
    restore,
)
from workers.host import Host
from workers.local import LocalExecutor, prepare_thread

Report = Callable[[RunView], None]
_PACKAGES = ("fooling", "torch", "numpy", "numba", "deap", "pillow")


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
) -> RunView:
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

    Raises:
        FoolingError: see its subclasses; the message is one line.
    """
    if classifier is not None:
        flags = {**(flags or {}), "model": f"{OBJECT}:{classifier.spec.name}"}
    settings = resolve(config if config is not None else DEFAULT_CONFIG, assignments, flags)
    recipe = Recipe(settings, _numerics(settings), trust, classifier, customise)
    classifier = recipe.classifier()
    recipe = replace(recipe, settings=settle(settings, classifier))
    host, swapped = recipe.host(classifier)
    manifest = _manifest(recipe, classifier, swapped)
    directory = create(Path(out) if out else _fresh(config, settings), manifest)
    with locked(directory):
        return _evolve(directory, {"format": 1, **manifest}, recipe, host, new_state(), [], report)


def resume(
    path: str | Path,
    *,
    classifier: classifiers.Classifier | None = None,
    customise: Customise | None = None,
    report: Report | None = None,
    warn: Callable[[str], None] | None = None,
) -> RunView:
    """Continue a run to the same end that it would have had without the interruption.

    `classifier` and `customise` are needed again where `run` was given them. A completed run is only read.
    `warn` is called with each thing that the user should know, one line each; the run's log keeps them.

    Raises:
        FoolingError: see its subclasses; the message is one line.
    """
    directory, manifest = open_directory(Path(path))
    with locked(directory):
        settings = validate(manifest["config"], str(directory.manifest))
        log = events.read(directory.events)
        found, problems = newest_checkpoint(directory)
        if log and log[-1]["event"] == "completed" and not problems:
            return _finish(replace(open_run(directory.path), status="completed"))
        state = found.state if found else new_state()
        numerics = Numerics.from_dict(manifest["numerics"])
        numerics = replace(numerics, batch=state.get("batch", numerics.batch))
        recipe = Recipe(settings, numerics, bool(manifest["trust"]), classifier, customise)
        classifier = recipe.classifier()
        if classifier.fingerprint != manifest["classifier"]["fingerprint"]:
            raise InvalidError(
                f"{settings.model} is not the classifier that {directory.path} was made with: its fingerprint "
                f"was {manifest['classifier']['fingerprint'][:12]}, now it is {classifier.fingerprint[:12]}"
            )
        host, swapped = recipe.host(classifier)
        if swapped != manifest["operators"]:
            raise InvalidError(
                f"{directory.path} was made with the operators {manifest['operators'] or 'of the encoding'}, "
                f"found {swapped or 'those of the encoding'}; pass the same `customise`"
            )
        _cut_logs(directory, state)
        for path_ in saved(directory.checkpoints):
            if generation_of(path_) > state["generation"]:
                path_.unlink()  # damaged, and newer than the one that is used
        for leftover in directory.checkpoints.glob(".*.tmp"):
            leftover.unlink()
        sync_directory(directory.checkpoints)
        since = f"going on from generation {state['generation']}" if found else "starting over"
        notes = [*(f"{problem}; {since}" for problem in problems), *_other_numerics(manifest)]
        for note in notes:
            (warn or (lambda _: None))(note)
        return _evolve(directory, manifest, recipe, host, state, notes, report, found)


def _evolve(
    directory: RunDirectory,
    manifest: dict[str, Any],
    recipe: Recipe,
    host: Host,
    state: dict[str, Any],
    warnings: list[str],
    report: Report | None,
    checkpoint: Any = None,
) -> RunView:
    """Run the engine from `state` on, in a directory that is locked."""
    settings = recipe.settings
    archive, encoding = empty_archive(settings, manifest["classifier"]["spec"])
    device, threads = host.classifier.numerics.device, settings.run.threads
    evaluators = evaluators_of(settings, device)
    chunk = chunk_of(settings, host.classifier, evaluators)
    search = searches.create(settings, chunk, host.toolbox, archive)
    if checkpoint is not None:
        restore(archive, encoding, checkpoint)
        search.restore(checkpoint.part("search"))
    executor = LocalExecutor(host, evaluators, lambda: prepare_thread(device, threads))
    stopping = threading.Event()
    report = report or (lambda _: None)
    engine = Engine(directory, manifest, settings, archive, search, executor, state, report, stopping)
    try:
        if state["generation"] >= 0 or warnings:
            engine.note("resume", generation=state["generation"], versions=_versions())
        for warning in warnings:
            engine.note("warning", message=warning)
        with _signals(stopping):
            done = engine.run()
    finally:
        engine.close()
    return _finish(done)


def _finish(view: RunView) -> RunView:
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


def _numerics(settings: Settings) -> Numerics:
    run = settings.run
    return resolve_numerics(run.device, run.threads, run.layout, run.batch, run.compile)


def _manifest(recipe: Recipe, classifier: classifiers.Classifier, swapped: dict[str, str]) -> dict[str, Any]:
    settings = recipe.settings
    return {
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "model": settings.model,
        "seed": settings.seed,
        "config": settings.model_dump(mode="json"),
        "classifier": {
            "spec": classifier.spec.model_dump(mode="json"),
            "fingerprint": classifier.fingerprint,
        },
        "numerics": classifier.numerics.to_dict(),
        "operators": swapped,
        "versions": _versions(),
        "trust": recipe.trust,
        "parents": [],
    }


def _versions() -> dict[str, str]:
    return {"python": platform.python_version(), **{name: metadata.version(name) for name in _PACKAGES}}


def _other_numerics(manifest: Mapping[str, Any]) -> list[str]:
    """What differs between this machine and the one that the run began on: it may change last bits."""
    notes = []
    device = manifest["numerics"]["device"]
    here, there = resolve_numerics(device=device).device_model, manifest["numerics"]["device_model"]
    if here != there:
        notes.append(f"this part runs on {here}, the run began on {there}: last bits may differ")
    versions = _versions()
    for name in ("torch", "numba"):
        if versions[name] != manifest["versions"].get(name):
            then = manifest["versions"].get(name)
            notes.append(f"this part runs with {name} {versions[name]}, the run began with {then}")
    return notes


def _fresh(config: str | Path | None, settings: Settings) -> Path:
    """A name under runs/ that is not taken."""
    base = Path("runs") / f"{Path(config or DEFAULT_CONFIG).stem}-seed{settings.seed}"
    path, number = base, 1
    while path.exists():
        number += 1
        path = base.with_name(f"{base.name}-{number}")
    return path


def _cut_logs(directory: RunDirectory, state: Mapping[str, Any]) -> None:
    """Cut the logs back to what a checkpoint knows of them: both, or neither."""
    logs = {directory.events: state["events_bytes"], directory.lineage: state["lineage_bytes"]}
    try:
        for file, length in logs.items():
            if (size := file.stat().st_size) < length:
                raise FoolingError(
                    f"{file} can't be what this run wrote: it has {size} bytes, the checkpoint knows of "
                    f"{length}; nothing was changed"
                )
        for file, length in logs.items():
            os.truncate(file, length)
    except OSError as error:
        raise FoolingError(f"{directory.path} can't be resumed: {error.strerror or error}") from None


@contextmanager
def _signals(stopping: threading.Event) -> Iterator[None]:
    """The first Ctrl-C (or SIGTERM) stops the run after a checkpoint, a second one kills."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, frame: Any) -> None:
        stopping.set()
        signal.signal(number, signal.SIG_DFL)

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


__all__ = ["Report", "resume", "run"]
