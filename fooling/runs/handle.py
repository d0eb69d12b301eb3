"""A run in one's hand: started, followed, stopped and asked for what it found, from any thread.

The command line, a notebook and a job of the service differ only in who holds the handle.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypedDict, Unpack

from fooling.classifiers import Classifier
from fooling.drawn import Drawn
from fooling.errors import FoolingError
from fooling.runs import launch
from fooling.runs.executors import ClusterOptions
from fooling.runs.hosting import Customise
from fooling.runs.listeners import Listeners
from fooling.store.snapshot import Snapshot


class ListenerOptions(TypedDict, total=False):
    """Who is told of a run.

    Keys:
        report: called with a snapshot of the run after each generation.
        warn: called with each thing that the user should know, one line each; the run's log keeps them.
        pages: called with a snapshot of the run at its end, to write pages beside it.
        cluster: how a Ray cluster is waited for, where the run is computed on one.
    """

    report: Callable[[Snapshot], None] | None
    warn: Callable[[str], None] | None
    pages: Callable[[Snapshot], None] | None
    cluster: ClusterOptions | None


class RunOptions(ListenerOptions, total=False):
    """What a new run is.

    Keys:
        out: the run directory to make (default: a new one under `runs/`).
        model: the classifier's SPEC, `source:name`.
        seed: of all randomness.
        assignments: settings like "search.generations=60".
        flags: dotted keys and values, which win over `assignments`.
        trust: let the model bring code of its own.
        classifier: the classifier itself, in place of `model`.
        customise: called with the DEAP toolbox before the run, to swap operators.
    """

    out: str | Path | None
    model: str | None
    seed: int | None
    assignments: Iterable[str]
    flags: Mapping[str, Any] | None
    trust: bool
    classifier: Classifier | None
    customise: Customise | None


class ResumeOptions(ListenerOptions, total=False):
    """How a run goes on.

    Keys:
        trust: let the model bring code of its own, and believe what the manifest says of a cluster or a server. It is
            given anew each time, whatever the manifest says, for a run directory may come from a stranger.
        classifier, customise: needed again where the run was given them.
        workers, address: where it is computed from now on (default: as before).
    """

    trust: bool
    classifier: Classifier | None
    customise: Customise | None
    workers: int | None
    address: str | None


class RunHandle(Drawn):
    """A run that is computed in a thread of its own (`start`, `resume`), or in the caller's (`compute`)."""

    def __init__(self, work: Callable[..., Snapshot], *args: Any, **options: Any) -> None:
        """Prepared, not started; `start` and `resume` make one."""
        told = {name: options.pop(name) for name in ListenerOptions.__annotations__ if name in options}
        self._stopping, self._changed = threading.Event(), threading.Condition()
        heard = Listeners(**{name: value for name, value in told.items() if value is not None})
        self._report = heard.report
        self._listeners = replace(
            heard, report=self._reported, began=self._began, record=self._recorded, stopping=self._stopping
        )
        self._work: Callable[[], Snapshot] = lambda: work(*args, listeners=self._listeners, **options)
        self._records: list[dict[str, Any]] = []
        self._directory: Path | None = None
        self._asked, self._answered = 0, 0  # snapshots that were asked for, and those that `_latest` answers
        self._latest: Snapshot | None = None
        self._result: Snapshot | None = None
        self._error: BaseException | None = None
        self._over = False

    @classmethod
    def start(cls, config: str | Path | None = None, **options: Unpack[RunOptions]) -> RunHandle:
        """Start a run in a thread.

        Args:
            config: the name of a ready-made config or the path of a TOML file (default: mnist-cppn).
        """
        return cls(launch.run, config, **options)._in_thread()

    @classmethod
    def resume(cls, path: str | Path, **options: Unpack[ResumeOptions]) -> RunHandle:
        """Continue a run, in a thread, to the same end that it would have had without the interruption. A completed
        run is only read."""
        return cls(launch.resume, path, **options)._in_thread()

    @property
    def status(self) -> str:
        """running; or, once it is over: completed, interrupted or failed."""
        if not self._over:
            return "running"
        return self._result.status if self._result is not None else "failed"

    @property
    def directory(self) -> Path | None:
        """The run directory; None until there is one, which takes as long as the classifier takes to load."""
        return self._directory

    @property
    def error(self) -> BaseException | None:
        """What made the run fail; None while it runs, or where it did not."""
        return self._error

    @property
    def latest(self) -> dict[str, Any] | None:
        """The newest record of a generation in this part of the run; None before the first."""
        with self._changed:
            return next(
                (record for record in reversed(self._records) if record["event"] == "generation"), None
            )

    def __repr__(self) -> str:
        latest = self.latest
        where = "" if self._directory is None else f" {str(self._directory)!r}"
        how_far = "" if latest is None else f", generation {latest['generation']}"
        return f"<run{where}: {self.status}{how_far}>"

    def events(self, timeout: float | None = None) -> Iterator[dict[str, Any]]:
        """The records of this part of the run, as its log has them, from the first on and as they are written; ends
        with the run.

        Args:
            timeout: seconds to wait for a record.

        Raises:
            TimeoutError: none came in time; what came before was given.
        """
        position = 0
        while True:
            new = self._records_from(position, timeout)
            if not new:
                return
            yield from new
            position += len(new)

    def _records_from(self, position: int, timeout: float | None) -> list[dict[str, Any]]:
        """The records from a position on, waited for; none where the run is over."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._over or len(self._records) > position, timeout):
                raise TimeoutError(f"expected a record of the run within {timeout} s, found none")
            return self._records[position:]

    def snapshot(self, timeout: float | None = None) -> Snapshot:
        """The run as it is after the generation that is under way, or at its end.

        Args:
            timeout: seconds to wait for that.

        Raises:
            TimeoutError: it took longer.
            FoolingError: the run failed.
        """
        with self._changed:
            self._asked += 1
            wanted = self._asked
            there = self._changed.wait_for(lambda: self._over or self._answered >= wanted, timeout)
            if not there:
                raise TimeoutError(f"expected the end of a generation within {timeout} s; ask again")
            latest = self._latest
        return self.result() if self._over or latest is None else latest

    def stop(self) -> None:
        """Ask the run to end: within a chunk, after a checkpoint. `result` waits for that."""
        self._stopping.set()

    def result(self, timeout: float | None = None) -> Snapshot:
        """The run at its end, which is waited for.

        Args:
            timeout: seconds to wait.

        Raises:
            TimeoutError: it took longer; the run goes on.
            FoolingError: the run failed; the message is one line.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: self._over, timeout):
                raise TimeoutError(f"expected the end of the run within {timeout} s; it goes on")
        if self._result is None:
            raise self._error or FoolingError("the run ended without a result")
        return self._result

    def compute(self) -> Snapshot:
        """Compute the run in this thread, which hears signals if it is the main one: a Ctrl-C stops it after a
        checkpoint.

        Raises:
            FoolingError: see its subclasses; the message is one line.
        """
        try:
            self._result = self._work()
        except BaseException as error:
            self._error = error
            raise
        finally:
            with self._changed:
                self._over = True
                self._changed.notify_all()
        return self._result

    def _in_thread(self) -> RunHandle:
        threading.Thread(target=self._quietly, name="run", daemon=True).start()
        return self

    def _quietly(self) -> None:
        try:
            self.compute()
        except BaseException:  # kept for whoever asks for the result
            return

    def _began(self, directory: Path) -> None:
        self._directory = directory

    def _recorded(self, record: dict[str, Any]) -> None:
        with self._changed:
            self._records.append(record)
            self._changed.notify_all()

    def _reported(self, found: Snapshot) -> None:
        with self._changed:
            if (
                self._answered < self._asked
            ):  # a snapshot that nobody asked for is not kept, so that it costs nothing
                self._answered, self._latest = self._asked, found
                self._changed.notify_all()
        self._report(found)


def run(config: str | Path | None = None, **options: Unpack[RunOptions]) -> Snapshot:
    """Evolve fooling images, in a run directory of its own, and wait for the end.

    Args:
        config: the name of a ready-made config or the path of a TOML file (default: mnist-cppn).
        options: see `RunOptions`.

    Raises:
        FoolingError: see its subclasses; the message is one line.
    """
    return RunHandle(launch.run, config, **options).compute()


def resume(path: str | Path, **options: Unpack[ResumeOptions]) -> Snapshot:
    """Continue a run to the same end that it would have had without the interruption, and wait for it. A completed run
    is only read.

    Args:
        path: the run directory.
        options: see `ResumeOptions`.

    Raises:
        FoolingError: see its subclasses; the message is one line.
    """
    return RunHandle(launch.resume, path, **options).compute()
