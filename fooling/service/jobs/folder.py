"""The jobs of one folder: what may be asked of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fooling.service.jobs.models import Job, Page, State


class Jobs:
    """The jobs below a folder. Several of these, in one process or in many, may be open on the same folder.

    Every method may be called from any thread, and takes milliseconds. Unknown ids raise NotFoundError, also those
    that are no ids at all; requests that do not fit the job's state raise ConflictError.
    """

    def __init__(
        self,
        root: Path,
        running: int = 1,
        *,
        trust: bool = False,
        address: str | None = None,
        most_queued: int = 1000,
    ) -> None:
        """
        Args:
            root: the folder of runs; it is made where it is not there.
            running: jobs that are computed at once, over all the servers of this folder; 0 starts none.
            trust: let the models of jobs that are started from here bring code of their own.
            address: of the Ray cluster that jobs started from here compute on (default: this machine).
            most_queued: jobs that may wait.

        Raises:
            FoolingError: the folder can't be made or written.
        """
        raise NotImplementedError

    def submit(
        self, kind: str, request: Mapping[str, Any], *, label: str = "", idempotency_key: str | None = None
    ) -> Job:
        """A new job at the end of the queue. It is on the disk when this returns.

        Args:
            kind: "run", or the name of a study.
            request: JSON-like. Of a run: `config` (the name of a ready-made one), `model`, `seed` and `set` (dotted
                keys and values), each of which may be left out. Whoever calls has refused settings that a
                request may not have.
            idempotency_key: the same key and request give the job that is there already.

        Raises:
            InvalidError, NotFoundError: the settings are wrong, there is no such config or no such kind.
            ConflictError: the key was used with another request.
            QueueFullError: too many wait.
        """
        raise NotImplementedError

    def get(self, id: str) -> Job:
        """A job as it is now."""
        raise NotImplementedError

    def list(
        self,
        *,
        state: State | None = None,
        kind: str | None = None,
        model: str | None = None,
        label: str | None = None,
        q: str | None = None,
        limit: int = 100,
        cursor: str | None = None,
    ) -> Page:
        """Jobs, newest first, as the index has them: at most a second or two old.

        Args:
            label: exactly this one.
            q: text that is in the name, the label or the model, upper and lower case alike.
            limit: 1 to 10,000.

        Raises:
            InvalidError: the cursor is none of ours, or the limit is out of range.
        """
        raise NotImplementedError

    def pause(self, id: str) -> Job:
        """Ask a job to write a checkpoint and to end its process; nothing happens where it has."""
        raise NotImplementedError

    def resume(self, id: str) -> Job:
        """Put a paused job, or one that failed, back into the queue; nothing happens where it is there or runs."""
        raise NotImplementedError

    def cancel(self, id: str) -> Job:
        """Ask a job to end for good; nothing happens where it has been cancelled. Its directory stays."""
        raise NotImplementedError

    def reorder(self, id: str, before: str | None) -> Job:
        """Put a waiting job before another one in the queue, or at its end."""
        raise NotImplementedError

    def delete(self, id: str) -> None:
        """Remove an ended job and its directory."""
        raise NotImplementedError

    def directory(self, id: str) -> Path:
        """The run directory of a job, which may not be there yet. For the server's own use: never sent out."""
        raise NotImplementedError

    def events_file(self, id: str) -> Path:
        """The log of a run (`fooling.store.events`), which may not be there yet, and shrinks at a resume."""
        raise NotImplementedError

    def result(self, id: str) -> dict[str, Any]:
        """What a completed study found.

        Raises:
            ConflictError: it is no study, or not completed.
        """
        raise NotImplementedError

    @contextmanager
    def supervise(self) -> Iterator[None]:
        """In this block a thread of this process starts queued jobs, notices those whose process has died, and keeps
        the index up to date. Jobs that run go on when the block ends."""
        raise NotImplementedError
        yield

    def close(self) -> None:
        """Close the index. Jobs go on."""
        raise NotImplementedError
