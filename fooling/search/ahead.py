"""Generations begun ahead: who has nothing left to do of one generation goes on with the next, whose parents are drawn
from the archive as it is before the one has ended.

A guess, as processors guess branches, and one that changes no result: where the archive has changed meanwhile,
those children whose parents are others by then are bred again, and what was made of them does not count. Once a run
has settled most generations change nothing, and so most guesses are right.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fooling.archive import Archive, Candidates
from fooling.search.protocol import Begun, Compute
from workers.tasks import broods

if TYPE_CHECKING:
    from fooling.search.map_elites import Generation

MEMORY = 16  # generations that a forecast looks back
OFTEN = 0.25  # of them changed the archive: then wrong guesses cost what right ones save


class Forecast:
    """Whether the next generation is likely to change the archive: as those before did, the last ones above all."""

    def __init__(self) -> None:
        self._changes = 1.0

    @property
    def is_calm(self) -> bool:
        """Whether a guess is worth it."""
        return self._changes < OFTEN

    def learn(self, changed: bool) -> None:
        """What came of a generation."""
        self._changes += (changed - self._changes) / MEMORY


class UnderWay:
    """A generation that is being computed.

    Attributes:
        generation: it.
    """

    def __init__(self, generation: Generation, archive: Archive, compute: Compute) -> None:
        """Have it computed."""
        self.generation, self._compute = generation, compute
        self._individuals = archive.ids.copy()
        self._wrong: NDArray[np.bool_] | None = None
        self._begun = [self._begin(generation.chunks)]

    def correct(self, generation: Generation, archive: Archive) -> None:
        """It was a guess, and the archive has changed: have children bred again whose parents are others now.

        Args:
            generation: the same one, asked for again.
        """
        assert generation.rows is not None
        assert self.generation.rows is not None
        replaced = (archive.ids != self._individuals).any(axis=1)
        moved = generation.rows != self.generation.rows
        self._wrong, self.generation = (moved | replaced[generation.rows]).any(axis=1), generation
        wrong = np.flatnonzero(self._wrong)
        if len(wrong):
            size = max(len(chunk.keys) for chunk in generation.chunks)
            self._begun.append(self._begin(broods(generation.keys[wrong], generation.rows[wrong], size)))

    def results(self) -> list[Candidates]:
        """The candidates among all children."""
        guessed, *again = [begun.results() for begun in self._begun]
        if self._wrong is None:
            return guessed
        found = [result for results in again for result in results]
        spoilt = []
        for chunk, result in zip(self.generation.chunks, guessed, strict=True):
            claimants = result.ids[result.images, 2]
            if self._wrong[claimants].any():  # it hides who is the best of those that count
                spoilt.append(chunk)
            else:
                found.append(result)
        return found + (self._begin(spoilt).results() if spoilt else [])

    def close(self) -> None:
        """Give it up."""
        for begun in self._begun:
            begun.close()

    def _begin(self, chunks: list[Any]) -> Begun:
        return self._compute.begin(self.generation.task, self.generation.shared, chunks)
