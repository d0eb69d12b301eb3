"""The loop of a run: ask the search, let the executor compute, tell the search, write it down.

A run is a pure function of its manifest; this file makes it also an interruptible one. Whatever happens
between two generations or within one, the directory holds a state that `resume` continues to the same end.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fooling.archive import Archive, lineage
from fooling.archive.nan_images import NanImages
from fooling.errors import FoolingError, Interrupted, OutOfAnswers
from fooling.runs.computing import Computing
from fooling.runs.listeners import Listeners
from fooling.search.protocol import Search
from fooling.store import checkpoint, events
from fooling.store import elites as png
from fooling.store.checkpoint import Counters
from fooling.store.directory import RunDirectory
from fooling.store.elites import sync_elites
from fooling.store.reading import open_run
from fooling.store.snapshot import Prefix, Snapshot, Status
from fooling.store.spec import RunSpec
from fooling.store.statistics import describe
from workers.protocol import Executor


class Engine:
    """Runs a search in its directory, which the caller has locked."""

    def __init__(
        self,
        directory: RunDirectory,
        spec: RunSpec,
        archive: Archive,
        search: Search,
        executor: Executor,
        counters: Counters,
        curve: Sequence[dict[str, Any]],
        listeners: Listeners,
        writing: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        """
        Args:
            spec: of the run.
            archive, counters, curve: of a checkpoint, or of a run that has not begun.
            listeners: who is told of the run; their `stopping` ends it as soon as possible.
            writing: images are written inside of this context, which may end early.
        """
        self._directory, self._spec = directory, spec
        self._archive, self._search = archive, search
        self._computing = Computing(executor, listeners.stopping, self._halved)
        self._counters, self._curve = counters, list(curve)
        self._listeners, self._stopping, self._writing = listeners, listeners.stopping, writing
        self._events = events.Appender(directory.events)
        self._lineage = events.Appender(directory.lineage)
        self._checkpointed = counters.generation
        self._target_classes = np.array(spec.config.search.target_classes(len(archive)), np.int64)

    def note(self, kind: str, **fields: Any) -> None:
        """Add an event to the run's log."""
        record = {"event": kind, **fields}
        self._events.event(record)
        self._listeners.record(record)

    def run(self) -> Snapshot:
        """Go on until a stop rule holds or `stop` is called.

        Returns:
            The run as it is then: completed; or interrupted, by `stop` or since its classifier gives no more
            answers.

        Raises:
            FoolingError: it could not go on; the last checkpoint is kept.
        """
        with self._explained():
            status: Status = "completed"
            reason = ""
            began = last_save = time.monotonic()
            try:
                while not self._is_done():
                    self._generation()
                    pause = _pause(self._spec.config.run.checkpoint_seconds, last_save - began)
                    if time.monotonic() - last_save >= pause and self._search.resumable:
                        self._save()
                        last_save = time.monotonic()
                    self._listeners.report(self.snapshot("running"))
            except Interrupted:
                status = "interrupted"
            except OutOfAnswers as error:
                status, reason = "interrupted", str(error)
            if status == "completed" or self._search.resumable:  # who is done needs no way to go on
                self._save()
            self.note(status, generation=self._checkpointed, **({"reason": reason} if reason else {}))
            self._events.sync()
            if self._counters.generation != self._checkpointed:  # what can't be kept is not shown either
                return replace(open_run(self._directory.path), status=status, reason=reason)
            return replace(self.snapshot(status), reason=reason)

    def snapshot(self, status: Status) -> Snapshot:
        """The run as it is now."""
        curve = Prefix(self._curve, len(self._curve))
        return Snapshot(
            self._directory.path, status, self._spec, self._archive.frozen(), self._counters, curve
        )

    def close(self) -> None:
        """Close the files."""
        self._events.close()
        self._lineage.close()

    def _generation(self) -> None:
        began, before = time.perf_counter(), self._archive.thresholds
        number = self._counters.generation + 1
        outcome = self._search.step(number, self._computing)
        counters = self._counters
        self._counters = counters.model_copy(
            update={
                "generation": number,
                "evaluations": counters.evaluations + outcome.evaluations,
                "replacements": counters.replacements + outcome.replacements,
                "goal_switches": counters.goal_switches + outcome.goal_switches,
                "nan_images": counters.nan_images + (0 if outcome.nan is None else len(outcome.nan)),
                "seconds": counters.seconds + time.perf_counter() - began,
            }
        )
        if outcome.nan is not None and not counters.nan_images:
            self._keep_nan(outcome.nan)
        self._lineage.append(lineage.to_bytes(outcome.lineage))
        record = {
            "generation": number,
            "evaluations": self._counters.evaluations,
            "seconds": round(self._counters.seconds, 6),
            **describe(self._archive.confidence[self._target_classes]),
            "replacements": outcome.replacements,
            "goal_switches": outcome.goal_switches,
            "gains": _gains(before, self._archive.thresholds),
            **outcome.statistics,
            **({} if outcome.nan is None else {"nan_images": len(outcome.nan)}),
        }
        self.note("generation", **record)
        self._curve.append({"event": "generation", **record})

    def _keep_nan(self, nan: NanImages) -> None:
        """Keep the first image that the classifier has no confidence for, and tell of it."""
        file, identity = self._directory.nan, "/".join(map(str, nan.ids[0].tolist()))
        png.write(file, nan.pixels, {"id": identity, "model": self._spec.model})
        message = (
            f"the classifier puts out NaN or infinity for image {identity}, kept as {file}: such images lose"
        )
        self.note("nan", generation=self._counters.generation, id=identity, image=file.name, message=message)
        self._listeners.warn(message)

    def _halved(self, batch: int, reason: str) -> None:
        """Memory ran out, and the physical batch was halved."""
        self._counters = self._counters.model_copy(update={"batch": batch})
        self.note("numerics", batch=batch, generation=self._counters.generation + 1, reason=reason)

    def _is_done(self) -> bool:
        if self._stopping.is_set():
            raise Interrupted
        counters, stop = self._counters, self._spec.config.stop
        lowest = float(self._archive.confidence[self._target_classes].min())
        return (
            counters.generation >= self._search.generations
            or (stop.evaluations is not None and counters.evaluations >= stop.evaluations)
            or (stop.seconds is not None and counters.seconds >= stop.seconds)
            or (stop.confidence is not None and lowest >= stop.confidence)
        )

    def _save(self) -> None:
        """Checkpoint, unless this generation's is there: logs first, then the state that knows their lengths,
        then the images, which the state can make again."""
        generation = self._counters.generation
        if generation == self._checkpointed:
            return
        self._events.sync()
        self._lineage.sync()
        lengths = {"events_bytes": self._events.length, "lineage_bytes": self._lineage.length}
        self._counters = self._counters.model_copy(update=lengths)
        self.note("checkpointing", generation=generation)  # so that a lost one is missed
        own = {f"search.{name}": array for name, array in self._search.arrays().items()}
        arrays = self._archive.arrays() | own
        checkpoint.save(self._directory.checkpoints, checkpoint.Checkpoint(self._counters, arrays))
        self._checkpointed = generation
        self.note("checkpoint", generation=generation)
        if not self._stopping.is_set():  # else the run's end writes them, if there is time
            with self._writing():
                sync_elites(self.snapshot("running"))

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Tell of a failure in the log, and of a full disk in words."""
        try:
            yield
        except (FoolingError, OSError) as error:
            kept = (
                f"the checkpoint of generation {self._checkpointed} is kept"
                if self._checkpointed >= 0
                else "no checkpoint was written yet"
            )
            reason = str(error)
            if isinstance(error, OSError):
                reason = f"can't write in {self._directory.path}: {error.strerror or error}"
            with suppress(OSError):  # the disk that is full is also the log's
                self.note("failed", reason=reason)
            again = f"; mend that, then: fooling resume {self._directory.path}"
            raise FoolingError(f"{reason}; {kept}{again}") from error


def _pause(seconds: float, elapsed: float) -> float:
    """The seconds between a checkpoint that was written after so many seconds and the next. The first ones come sooner
    than the setting says, so that whoever watches soon sees elites; each time the run is twice as old, so they cost
    little."""
    return min(seconds, max(seconds / 30, elapsed))


def _gains(before: NDArray[np.float32], after: NDArray[np.float32]) -> list[list[float]]:
    """The classes whose confidence rose, and to what: [[class, confidence], ...]."""
    risen = np.flatnonzero(after > before)
    return [
        [number, confidence] for number, confidence in zip(risen.tolist(), after[risen].tolist(), strict=True)
    ]
