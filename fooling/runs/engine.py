"""The loop of a run: ask the search, let the executor compute, tell the search, write it down.

A run is a pure function of its manifest; this file makes it also an interruptible one. Whatever happens
between two generations or within one, the directory holds a state that `resume` continues to the same end.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fooling.archive import Archive, lineage
from fooling.archive.nan_images import NanImages
from fooling.config import Settings
from fooling.errors import FoolingError, OutOfAnswers
from fooling.runs.computing import Computing
from fooling.search.protocol import Search
from fooling.store import checkpoint, events
from fooling.store import elites as png
from fooling.store.directory import RunDirectory
from fooling.store.elites import sync_elites
from fooling.store.statistics import describe
from fooling.store.view import RunView, open_run, view
from workers.protocol import Executor, Interrupted


class Engine:
    """Runs a search in its directory, which the caller has locked."""

    def __init__(
        self,
        directory: RunDirectory,
        manifest: dict[str, Any],
        settings: Settings,
        archive: Archive,
        search: Search,
        executor: Executor,
        state: dict[str, Any],
        report: Callable[[RunView], None],
        stopping: threading.Event,
        writing: Callable[[], AbstractContextManager[None]] = nullcontext,
        warn: Callable[[str], None] = lambda _: None,
    ) -> None:
        """`state` is `new_state()` or a checkpoint's; `report` is called after each generation. Setting
        `stopping`, from a signal handler or another thread, asks for an end as soon as possible. Images are
        written inside of `writing`, which may end early."""
        self._directory, self._manifest, self._settings = directory, manifest, settings
        self._archive, self._search = archive, search
        self._computing = Computing(executor, stopping, self._halved)
        self._state, self._report, self._stopping, self._writing = state, report, stopping, writing
        self._warn = warn
        self._events = events.Appender(directory.events)
        self._lineage = events.Appender(directory.lineage)
        self._checkpointed = state["generation"]
        self._aims = np.array(settings.search.aims(len(archive)), np.int64)

    def note(self, kind: str, **fields: Any) -> None:
        """Add an event to the run's log."""
        self._events.event(kind, **fields)

    def run(self) -> RunView:
        """Go on until a stop rule holds or `stop` is called.

        Returns:
            The run as it is then: completed; or interrupted, by `stop` or since its classifier gives no more
            answers.

        Raises:
            FoolingError: it could not go on; the last checkpoint is kept.
        """
        with self._explained():
            status, why = "completed", dict[str, str]()
            last_save = time.monotonic()
            try:
                while not self._is_done():
                    self._generation()
                    due = time.monotonic() - last_save >= self._settings.run.checkpoint_seconds
                    if due and self._search.resumable:
                        self._save()
                        last_save = time.monotonic()
                    self._report(self.view("running"))
            except Interrupted:
                status = "interrupted"
            except OutOfAnswers as error:
                status, why = "interrupted", {"reason": str(error)}
            if status == "completed" or self._search.resumable:  # who is done needs no way to go on
                self._save()
            self.note(status, generation=self._checkpointed, **why)
            self._events.sync()
            if self._state["generation"] != self._checkpointed:  # what can't be kept is not shown either
                return replace(open_run(self._directory.path), status=status)
            return self.view(status, events.read(self._directory.events))

    def view(self, status: str, log: list[dict[str, Any]] | None = None) -> RunView:
        """The run as it is now; without its `log`, the view has no curve."""
        return view(
            self._directory,
            status,
            self._manifest,
            self._settings,
            self._archive,
            log or [],
            self._state,
        )

    def close(self) -> None:
        """Close the files."""
        self._events.close()
        self._lineage.close()

    def _generation(self) -> None:
        began, before = time.perf_counter(), self._archive.confidence.copy()
        number = self._state["generation"] + 1
        outcome = self._search.step(number, self._computing)
        state = self._state
        state["generation"] = number
        state["evaluations"] += outcome.evaluations
        state["replacements"] += outcome.replacements
        state["goal_switches"] += outcome.goal_switches
        state["seconds"] += time.perf_counter() - began
        if outcome.nan is not None:
            self._meet_nan(outcome.nan)
        self._lineage.append(lineage.to_bytes(outcome.lineage))
        record = {
            "generation": state["generation"],
            "evaluations": state["evaluations"],
            "seconds": round(state["seconds"], 6),
            **describe(self._archive.confidence[self._aims]),
            "replacements": outcome.replacements,
            "goal_switches": outcome.goal_switches,
            "gains": _gains(before, self._archive.confidence),
            **outcome.statistics,
            **({} if outcome.nan is None else {"nan_images": len(outcome.nan)}),
        }
        self.note("generation", **record)

    def _meet_nan(self, nan: NanImages) -> None:
        """Count images that the classifier has no confidence for; keep the first and tell of it."""
        state, file = self._state, self._directory.nan
        if not state["nan_images"]:
            identity = "/".join(map(str, nan.ids[0].tolist()))
            png.write(file, nan.pixels, {"id": identity, "model": str(self._manifest["model"])})
            message = f"the classifier puts out NaN or infinity for image {identity}, kept as {file}: such images lose"
            self.note("nan", generation=state["generation"], id=identity, image=file.name, message=message)
            self._warn(message)
        state["nan_images"] += len(nan)

    def _halved(self, batch: int, reason: str) -> None:
        """Memory ran out, and the physical batch was halved."""
        self._state["batch"] = batch
        self.note("numerics", batch=batch, generation=self._state["generation"] + 1, reason=reason)

    def _is_done(self) -> bool:
        if self._stopping.is_set():
            raise Interrupted
        state, stop = self._state, self._settings.stop
        lowest = float(self._archive.confidence[self._aims].min())
        return (
            state["generation"] >= self._search.generations
            or (stop.evaluations is not None and state["evaluations"] >= stop.evaluations)
            or (stop.seconds is not None and state["seconds"] >= stop.seconds)
            or (stop.confidence is not None and lowest >= stop.confidence)
        )

    def _save(self) -> None:
        """Checkpoint, unless this generation's is there: logs first, then the state that knows their lengths,
        then the images, which the state can make again."""
        state = self._state
        if state["generation"] == self._checkpointed:
            return
        self._events.sync()
        self._lineage.sync()
        state["events_bytes"], state["lineage_bytes"] = self._events.length, self._lineage.length
        self.note("checkpointing", generation=state["generation"])  # so that a lost one is missed
        own = {f"search.{name}": array for name, array in self._search.arrays().items()}
        arrays = self._archive.arrays() | own
        checkpoint.save(self._directory.checkpoints, checkpoint.Checkpoint(state, arrays))
        self._checkpointed = state["generation"]
        self.note("checkpoint", generation=state["generation"])
        if not self._stopping.is_set():  # else the run's end writes them, if there is time
            with self._writing():
                sync_elites(self.view("running"))

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


def _gains(before: NDArray[np.float32], after: NDArray[np.float32]) -> list[list[float]]:
    """The classes whose confidence rose, and to what: [[class, confidence], ...]."""
    risen = np.flatnonzero(after > before)
    return [
        [number, confidence] for number, confidence in zip(risen.tolist(), after[risen].tolist(), strict=True)
    ]
