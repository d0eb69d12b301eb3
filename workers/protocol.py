"""The executor protocol: where tasks are computed is not the search's business."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any, Protocol


class Interrupted(Exception):
    """The user asked to stop; what is under way is given up."""


class Executor(Protocol):
    """Computes registered tasks (`workers.tasks`) on some host of operators and a classifier."""

    @property
    def evaluators(self) -> int:
        """Chunks computed at once."""
        ...

    def log_into(self, folder: Path) -> None:
        """Send what other processes print to files in a folder."""
        ...

    def map(self, task: str, shared: Any, chunks: Sequence[Any]) -> Generator[Any, None, None]:
        """The results of a task for each chunk, in the order of the chunks. One call at a time; whoever does not
        read it to its end closes it, after which nothing of it is computed any more, nor holds memory.

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
