"""Runs read from their directories, which may come from strangers, without writing anything."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fooling import search as searches
from fooling.archive import Archive, lineage
from fooling.archive.invariants import check_archive
from fooling.config import ResolvedSettings
from fooling.encodings.protocol import Encoding
from fooling.errors import FoolingError, InvalidError
from fooling.store import checkpoint, events
from fooling.store.checkpoint import Counters
from fooling.store.directory import RunDirectory, is_locked, open_directory
from fooling.store.snapshot import Snapshot, Status, empty_archive

# The last event of a run that is over, and the status that it means.
ENDINGS: dict[str, Status] = {"completed": "completed", "interrupted": "interrupted", "failed": "failed"}


def open_run(path: str | Path, in_memory: int | None = None) -> Snapshot:
    """Read a run from its directory, whatever its status, without writing anything.

    Args:
        in_memory: pixels, and genes of direct images, of more bytes than that are left in their file, and read image by
            image; None: all are read. A reader that leaves some there does not look at every gene.

    Raises:
        NotFoundError, InvalidError: see `fooling.store.directory.open_directory`.
        FoolingError: no checkpoint can be read.
    """
    directory, spec = open_directory(Path(path))
    archive, encoding = empty_archive(spec.config, spec.classifier.spec)
    log = events.read(directory.events)
    newest, problems = newest_checkpoint(directory, log, in_memory)
    if newest is not None:
        restore(spec.config, archive, encoding, newest)
    counters = newest.counters if newest is not None else Counters()
    told = events.generations(log, len(spec.classifier.spec.labels), directory.events)
    status = status_of(directory, log)
    return Snapshot(
        directory.path,
        status,
        spec,
        archive if newest is not None and newest.in_file else archive.frozen(),
        counters,
        [event for event in told if event["generation"] <= counters.generation],
        log[-1].get("reason", "") if log and log[-1]["event"] in ENDINGS else "",
        () if status == "running" else tuple(problems),
    )


def restore(
    settings: ResolvedSettings,
    archive: Archive,
    encoding: Encoding[Any],
    saved: checkpoint.Checkpoint,
    goes_on: bool = False,
) -> None:
    """Fill an empty archive from a checkpoint, which may come from a stranger: every reader goes through here, and
    whoever `goes_on` from it.

    Raises:
        InvalidError: naming the checkpoint and what is wrong with it.
    """
    generation = saved.counters.generation
    try:
        genotypes = encoding.from_arrays(saved.part("genotypes"))
        check_archive(archive, saved.arrays, genotypes, generation)
        archive.restore(saved.arrays, genotypes)
        searches.check(settings.search, archive, generation, saved.part("search"), goes_on)
    except InvalidError as error:
        raise InvalidError(f"{checkpoint.path_of(Path(), generation).name}: {error}") from None


def lineage_of(run: Snapshot) -> NDArray[np.int32]:
    """The run's lineage up to its checkpoint, (N, 11), checked: see `fooling.archive.lineage`.

    Raises:
        InvalidError: it is missing, was cut or altered.
    """
    path = RunDirectory(run.directory).lineage
    return read_lineage(path, run.counters, len(run.labels), run.spec.config)


def read_lineage(
    path: Path, counters: Counters, classes: int, settings: ResolvedSettings
) -> NDArray[np.int32]:
    """The records of a lineage up to a checkpoint with these counters; see `lineage_of`."""
    records = lineage.read(path, counters.lineage_bytes)
    lineage.check(records, path, counters.generation, classes, settings.search.name == "map-elites")
    return records


def newest_checkpoint(
    directory: RunDirectory, log: list[dict[str, Any]], in_memory: int | None = None
) -> tuple[checkpoint.Checkpoint | None, list[str]]:
    """The newest checkpoint that is whole (None where none was ever written), and what is wrong with the
    newer ones, one line each.

    Raises:
        FoolingError: there were checkpoints, and none is whole.
        InvalidError: the newest that is whole is no checkpoint.
    """
    begun = [e.get("generation", -1) for e in log if e["event"] == "checkpointing"]
    written = [e.get("generation", -1) for e in log if e["event"] == "checkpoint"]
    problems: list[str] = []
    for path in checkpoint.saved(directory.checkpoints):
        try:
            found = checkpoint.load(path, in_memory)
        except checkpoint.DamagedError as error:
            problems.append(str(error))
        except FileNotFoundError:  # a running writer has replaced it by a newer one meanwhile
            return newest_checkpoint(directory, events.read(directory.events), in_memory)
        except OSError as error:
            problems.append(f"{path.name} can't be read: {error.strerror or error}")
        else:
            if not problems and max(begun, default=-1) > found.counters.generation:
                end = "is missing" if max(begun) in written else "is missing, or was never finished"
                problems.append(f"{checkpoint.path_of(Path(), max(begun)).name} {end}")
            return found, problems
    if written and not problems:
        problems.append(f"{checkpoint.path_of(Path(), max(written)).name} is missing")
    if problems:
        raise FoolingError(
            f"{directory.path}: no checkpoint is whole ({'; '.join(problems)}); nothing was changed"
        )
    return None, []


def status_of(directory: RunDirectory, log: list[dict[str, Any]]) -> Status:
    """completed, interrupted, failed or running."""
    if is_locked(directory):
        return "running"
    return ENDINGS.get(log[-1]["event"], "interrupted") if log else "interrupted"
