"""What a search is to the engine: steps that ask some executor and change the archive, and what they changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from fooling.archive import Archive
from fooling.archive.nan_images import NanImages
from fooling.errors import InvalidError


class Compute(Protocol):
    """What a step asks for results; see `workers.protocol.Executor.map`."""

    def __call__(self, task: str, shared: Any, chunks: Sequence[Any]) -> list[Any]:
        """The results, one per chunk, in their order."""
        ...


@dataclass(frozen=True)
class Outcome:
    """What a step cost and changed.

    Attributes:
        evaluations: images classified.
        replacements: cells whose elite changed.
        goal_switches: of those, the ones whose new elite has a parent that was an elite when the
            generation began, but not of the same class (after Nguyen 2015b, "Innovation Engines").
        lineage: (N, 11) records of the images that entered.
        statistics: more for the generation's line in the log; JSON-like.
        nan: images that the classifier had no confidence for; None where there were none.
    """

    evaluations: int
    replacements: int
    goal_switches: int
    lineage: NDArray[np.int32]
    statistics: Mapping[str, Any] = field(default_factory=dict)
    nan: NanImages | None = None


class Search(Protocol):
    """A policy that makes images and reads how they were classified into the run's archive.

    Attributes:
        resumable: whether what `arrays` gives, with the archive, is all that the next step depends on. Only
            then does the engine write a checkpoint.
    """

    resumable: bool

    @classmethod
    def create(
        cls, search: Any, encoding: Any, seed: int, chunk: int, toolbox: Any, archive: Archive
    ) -> Self:
        """A new search on an archive.

        Args:
            search: its settings, resolved.
            encoding: the settings of the run's encoding, resolved.
            seed: of the run.
            chunk: children that are varied, rendered and classified together.
            toolbox: its operators (`fooling.search.toolbox`).
        """
        ...

    @staticmethod
    def fit(search: Any, encoding: Any, classifier: Any) -> tuple[Any, Any]:
        """The settings of search and encoding with what the search asks of encoding and classifier, before they
        are resolved.

        Raises:
            FoolingError: they don't suit the search.
        """
        ...

    @staticmethod
    def check(
        search: Any, archive: Archive, generation: int, arrays: Mapping[str, NDArray], goes_on: bool
    ) -> None:
        """Whether a checkpoint after this step is one of the search, with these arrays of its own.

        Args:
            search: its settings, resolved.
            archive: restored.
            goes_on: whether the search is to go on from there; one that is over may have ended anywhere.

        Raises:
            InvalidError: one line that says why it is none.
        """
        ...

    @property
    def generations(self) -> int:
        """Steps after step 0 until it is done."""
        ...

    def step(self, number: int, compute: Compute) -> Outcome:
        """Step `number`, from 0 on. Nothing is changed, here or in the archive, before all results are
        there: an exception of `compute` leaves the search as it was."""
        ...

    def arrays(self) -> dict[str, NDArray]:
        """State of the search's own that a checkpoint has to hold besides the archive."""
        ...

    def restore(self, arrays: Mapping[str, NDArray]) -> None:
        """The inverse of `arrays`, in a new search whose archive was restored."""
        ...


class Default:
    """What most searches say of themselves."""

    @classmethod
    def create(
        cls, search: Any, encoding: Any, seed: int, chunk: int, toolbox: Any, archive: Archive
    ) -> Self:
        """See `Search.create`."""
        return cls(search, seed, chunk, toolbox, archive)  # type: ignore[call-arg]

    @staticmethod
    def fit(search: Any, encoding: Any, classifier: Any) -> tuple[Any, Any]:
        """See `Search.fit`: any encoding and classifier will do."""
        return search, encoding

    @staticmethod
    def check(
        search: Any, archive: Archive, generation: int, arrays: Mapping[str, NDArray], goes_on: bool
    ) -> None:
        """See `Search.check`: there is something to breed from."""
        if not len(archive.occupied):
            raise InvalidError("cell: expected an elite to breed from, found none")


class Stateless(Default):
    """A search that goes on from the archive alone."""

    def arrays(self) -> dict[str, NDArray]:
        return {}

    def restore(self, arrays: Mapping[str, NDArray]) -> None:
        pass
