"""The executor protocol: where tasks are computed is not the search's business."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol


class Interrupted(Exception):
    """The user asked to stop; what is under way is given up."""


class Results(Protocol):
    """What comes of the chunks of a call to `Executor.map`, in their order: an iterator, to be closed by whoever
    does not read it to its end."""

    def __iter__(self) -> Iterator[Any]: ...

    def __next__(self) -> Any: ...

    def close(self) -> None:
        """Give up the rest. When this is over nothing of it is computed any more, nor holds memory."""
        ...


class Executor(Protocol):
    """Computes registered tasks (`workers.tasks`) on some host of operators and a classifier."""

    @property
    def evaluators(self) -> int:
        """Chunks computed at once."""
        ...

    @property
    def looks_ahead(self) -> bool:
        """Whether `map` begins at once, so that whoever has nothing left to do of one call goes on with the next."""
        ...

    def log_into(self, folder: Path) -> None:
        """Send what other processes print to files in a folder."""
        ...

    def map(self, task: str, shared: Any, chunks: Sequence[Any]) -> Results:
        """The results of a task for each chunk, in the order of the chunks. There may be several such calls at a
        time, where the executor looks ahead; the older one goes first.

        Args:
            task: the name of a registered task.
            shared: what all chunks read (parents, thresholds): it travels once per node.
            chunks: what each one needs (keys, rows): small.

        Raises:
            FoolingError: a chunk could not be computed; the message names it.
        """
        ...

    def halve_batch(self) -> int:
        """Ask the classifier with half its physical batch from now on, wherever tasks are computed.

        Returns:
            The batch as it is then.

        Raises:
            FoolingError: see `workers.host.Host.halve_batch`.
        """
        ...

    def close(self) -> None:
        """Stop computing and free what was held. Chunks that were not started never are."""
        ...
