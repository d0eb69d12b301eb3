"""What an encoding is to the rest of the software: it makes, varies and renders populations.

Every operator is a pure function of populations and keys: a child depends on its parents and its own key,
not on what else is in the batch.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol, Self, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cppn.keys import Keys
from fooling.lending import Loan
from fooling.sizes import Size

if TYPE_CHECKING:
    from torch import Tensor


class Genotypes(Protocol):
    """A population: N genotypes as a struct of arrays."""

    def __len__(self) -> int: ...

    def take(self, rows: ArrayLike) -> Self:
        """A new population of the genotypes at `rows`, in that order; rows may repeat."""
        ...

    def put(self, rows: ArrayLike, *others: tuple[Self, ArrayLike]) -> Self:
        """The population with genotypes of others at `rows`, which may also extend it by new rows at the end. It may
        be this one, changed in place: go on with what is returned.

        Args:
            others: populations, and the rows of each whose genotypes are put there, one after the other.

        Raises:
            ValueError: not one row per genotype, or new rows that leave a gap.
        """
        ...

    def lent(self, loan: Loan) -> Self:
        """The same genotypes, not to be changed, as part of a loan (`fooling.lending`)."""
        ...

    def arrays(self) -> dict[str, NDArray]:
        """The arrays by name: what files hold. Views, not copies."""
        ...

    def canonical_bytes(self, row: int) -> bytes:
        """One genotype's only byte form, the same on every machine."""
        ...


P = TypeVar("P", bound=Genotypes)


class Encoding(Protocol[P]):
    """Makes, varies and renders populations of one kind.

    Attributes:
        name: as in the `[encoding]` table.
        settings: that table, with everything filled in.
        has_crossover: whether `mate` does anything; where it doesn't, a child has one parent.
        image_shape: (H, W, C) of what `render` makes.
    """

    name: str
    settings: Any
    has_crossover: bool
    image_shape: tuple[int, int, int]

    def empty(self, room: int = 0) -> P:
        """A population of no genotypes, to which about `room` will be added."""
        ...

    def initialise(self, keys: Keys) -> P:
        """One random genotype per key."""
        ...

    def mate(self, parents: P, mates: P, keys: Keys) -> P:
        """A child of each parent and mate. The children 2i and 2i + 1 are siblings: what is theirs together
        comes from `keys.pairs()`, and one's parent is the other's mate. May change `parents` in place:
        pass a population of your own, and go on with what is returned."""
        ...

    def mutate(self, population: P, keys: Keys) -> P:
        """A mutated child of each genotype. May change `population` in place: as for `mate`."""
        ...

    def render(self, population: P, size: Size | None = None) -> NDArray[np.uint8]:
        """The images, (N, H, W, C) uint8: grey or RGB, as the classifier takes them.

        Args:
            size: of the images, for encodings that can render at any size (default: their own).

        Raises:
            ValueError: this encoding can't render at that size.
        """
        ...

    def render_on(self, population: P, device: str) -> Tensor:
        """The images as `render` makes them, to the bit, as a tensor on a CUDA device."""
        ...

    def from_arrays(self, arrays: Mapping[str, NDArray]) -> P:
        """The inverse of `Genotypes.arrays`, for arrays from outside.

        Raises:
            InvalidError: they are not a population of this encoding.
        """
        ...
