"""The children that a person chooses among: a pure function of encoding, seed, start and steps.

After Picbreeder (Secretan et al. 2011, "Picbreeder: A Case Study in Collaborative Evolutionary Exploration of Design
Space", Evolutionary Computation 19(3)): whoever looks at the images picks those that the next ones are bred from.
CPPNs have no crossover here (`cppn.variation`), so several picked parents share the children among them.

A child is drawn by its key (seed, generation, child), generation by generation: that of a line is the number of steps
before. A child that can hardly be told from one of its parents or from a sibling is drawn again, and so is one that is
of nearly one colour, or resembles a rejected image more than any parent; after `DRAWS` draws the last one stays. What looks alike is told by
drawings of `SMALL` x `SMALL` pixels.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cppn import variation
from cppn.keys import Keys
from cppn.population import Population
from fooling.encodings.cppn import CppnEncoding
from fooling.search.line.steps import CHILDREN, USUAL_SIZE, Step

DRAWS = 3
SMALL = 24
ALIKE = 4  # mean squared difference, in levels, below which two drawings can hardly be told apart
FLAT = 16  # an image whose levels differ by less, in every channel, is of nearly one colour
_RANGE = 4.0  # how many times as large, or as small, the mutations at either end of the scale are


@dataclass(frozen=True)
class Brood:
    """The children that are shown at once.

    Attributes:
        generation: the number of steps before.
        genotypes: CHILDREN genotypes.
        numbers: (CHILDREN,) int64: each child's number among those that were drawn; with the generation, its identity.
        parents: what they were bred from; None of random ones.
        parent_ids: (CHILDREN, 2) int64: generation and number of each child's parent; -1 where it has none.
        small: (CHILDREN, SMALL, SMALL, C) uint8: drawings by which likeness is told.
    """

    generation: int
    genotypes: Population
    numbers: NDArray[np.int64]
    parents: Parents | None
    parent_ids: NDArray[np.int64]
    small: NDArray[np.uint8]

    def chosen(self, children: Sequence[int]) -> Parents:
        """Some children as parents of the next."""
        rows = np.array(children, np.int64)
        ids = np.column_stack([np.full(len(rows), self.generation), self.numbers[rows]])
        return Parents(self.genotypes.take(rows), ids, self.small[rows])


@dataclass(frozen=True)
class Parents:
    """What children are bred from.

    Attributes:
        genotypes: P genotypes.
        ids: (P, 2) int64: generation and number of each.
        small: (P, SMALL, SMALL, C) uint8.
    """

    genotypes: Population
    ids: NDArray[np.int64]
    small: NDArray[np.uint8]


class Breeder:
    """Breeds lines under the settings of an encoding."""

    def __init__(self, encoding: CppnEncoding, seed: int, start: Population | None = None) -> None:
        """
        Args:
            seed: of all randomness.
            start: one genotype, of which the first children are mutants; None: they are random.
        """
        self._encoding, self._seed, self._start = encoding, seed, start

    def first(self) -> Brood:
        """The first children: random ones; or the start itself, and mutants of it."""
        if self._start is None:
            return self._bred(0, Step(), None, None)
        parents = Parents(self._start, np.zeros((1, 2), np.int64), self._small(self._start))
        found = self._bred(0, Step(), parents, None, kept=1)
        found.parent_ids[0] = -1  # the start, which is the parent of the others
        return found

    def following(self, brood: Brood, step: Step) -> Brood:
        """The children after a choice among those of a brood."""
        parents = brood.chosen(step.picked) if step.picked else brood.parents
        rejected = brood.small[list(step.rejected)] if step.rejected else None
        return self._bred(brood.generation + 1, step, parents, rejected)

    def broods(self, steps: Sequence[Step]) -> Iterator[Brood]:
        """The broods of a line: the first, and one after each step."""
        brood = self.first()
        yield brood
        for step in steps:
            brood = self.following(brood, step)
            yield brood

    def _bred(
        self,
        generation: int,
        step: Step,
        parents: Parents | None,
        rejected: NDArray[np.uint8] | None,
        kept: int = 0,
    ) -> Brood:
        """A brood.

        Args:
            rejected: (R, SMALL, SMALL, C) uint8, what it should not resemble.
            kept: so many parents come first, as they are.
        """
        slots = np.arange(CHILDREN)
        of = slots % len(parents.genotypes) if parents is not None else slots
        drawn: Population | None = None
        small: NDArray[np.uint8] | None = None
        numbers, waiting = slots.copy(), slots
        for draw in range(DRAWS):
            new = waiting + draw * CHILDREN
            made = self._drawn(generation, new, step.size, parents, of[waiting])
            if parents is not None and draw == 0 and kept:
                made = made.put(np.arange(kept), (parents.genotypes, np.arange(kept)))
            drawn = made if drawn is None else drawn.put(waiting, (made, np.arange(len(made))))
            pictures = self._small(made)
            small = pictures if small is None else small
            small[waiting], numbers[waiting] = pictures, new
            waiting = _unwelcome(small, waiting[waiting >= kept], parents, rejected)
            if not len(waiting):
                break
        assert drawn is not None
        assert small is not None
        ids = parents.ids[of] if parents is not None else np.full((CHILDREN, 2), -1)
        return Brood(generation, drawn, numbers, parents, ids, small)

    def _drawn(
        self, generation: int, numbers: NDArray[np.int64], size: int, parents: Parents | None, of: NDArray
    ) -> Population:
        keys = Keys(self._seed, generation, numbers.astype(np.uint32))
        if parents is None:
            return self._encoding.initialise(keys)
        return variation.mutate(parents.genotypes.take(of), keys, rates(self._encoding.rates, size))

    def _small(self, genotypes: Population) -> NDArray[np.uint8]:
        return self._encoding.render(genotypes, SMALL)


def rates(usual: variation.Rates, size: int) -> variation.Rates:
    """The rates of mutations of a size from 0 to 100; those of `USUAL_SIZE` are the usual ones.

    Smaller ones move as many weights by less, and change the graph less often; larger ones move more weights by more.
    At 0 and at 100, the odds are four times as low or as high, and weights move a sixteenth or sixteen times as far.
    """
    if size == USUAL_SIZE:
        return usual
    factor = _RANGE ** ((size - USUAL_SIZE) / (100 - USUAL_SIZE))
    edits = ("activation_rate", "add_edge", "delete_edge", "add_node", "delete_node")
    return replace(
        usual,
        weight_rate=min(1.0, usual.weight_rate * max(1.0, factor)),
        weight_eta=max(0.0, (usual.weight_eta + 1) / factor**2 - 1),
        **{name: min(1.0, getattr(usual, name) * factor) for name in edits},
    )


def _unwelcome(
    small: NDArray[np.uint8],
    new: NDArray[np.int64],
    parents: Parents | None,
    rejected: NDArray[np.uint8] | None,
) -> NDArray[np.int64]:
    """Of the children that were drawn just now, those to draw again."""
    among = _distances(small[new], small)
    first = (new[:, None] > np.arange(len(small))) | ~np.isin(
        np.arange(len(small)), new
    )  # it was there before
    pictures = small[new]
    alike = ALIKE * pictures[0].size
    again = ((among < alike) & first).any(axis=1)
    again |= (pictures.max(axis=(1, 2)).astype(int) - pictures.min(axis=(1, 2)) < FLAT).all(axis=1)
    if parents is not None:
        near = _distances(small[new], parents.small).min(axis=1)
        again |= near < alike
        if rejected is not None:
            again |= _distances(small[new], rejected).min(axis=1) < near
    return new[again]


def _distances(pictures: NDArray[np.uint8], others: NDArray[np.uint8]) -> NDArray[np.int64]:
    """(n, m) int64: the sums of squared differences of n drawings and m others. Exact: float64 holds these integers."""
    ours, theirs = (table.reshape(len(table), -1).astype(np.float64) for table in (pictures, others))
    squares = (ours * ours).sum(axis=1)[:, None] + (theirs * theirs).sum(axis=1)
    return (squares - 2 * ours @ theirs.T).astype(np.int64)
