"""The executor protocol. A search hands chunks to an executor and does not know where they are computed."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any, Protocol


class Executor(Protocol):
    """Computes registered tasks (`workers.tasks`), each on a host (`workers.host`)."""

    @property
    def evaluators(self) -> int:
        """How many chunks are computed at once."""
        ...

    def log_into(self, folder: Path) -> None:
        """Write what worker processes print to files in this folder."""
        ...

    def map(self, task: str, shared: Any, chunks: Sequence[Any]) -> Generator[Any, None, None]:
        """The results of a task for each chunk, in the order of the chunks.

        There may be one call at a time. A caller that does not read the generator to its end has to close it;
        then no more chunks are computed and the memory is free.

        Args:
            task: the name of a registered task.
            shared: what all chunks read (parents, thresholds); it is sent to each node once.
            chunks: what each chunk needs besides (keys, rows); small.

        Raises:
            FoolingError: a chunk could not be computed; the message names it.
            torch.OutOfMemoryError: the memory of a device ran out.
            Interrupted: the user asked to stop.
        """
        ...

    def halve_batch(self) -> int:
        """Halve the physical batch of the classifier, wherever tasks are computed.

        Returns:
            The new batch.

        Raises:
            FoolingError: see `workers.host.Host.halve_batch`.
        """
        ...

    def close(self) -> None:
        """Stop computing and free all resources. Chunks that have not begun are dropped."""
        ...
