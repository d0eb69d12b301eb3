"""The protocols of encodings and their populations. An encoding makes, varies and renders populations.

Every operator is a pure function of populations and keys: a child depends on its parents and its own key, and
on nothing else in the batch.
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
    """A population of N genotypes, as a struct of arrays."""

    def __len__(self) -> int: ...

    def take(self, rows: ArrayLike) -> Self:
        """A new population of the genotypes at `rows`, in that order; rows may repeat."""
        ...

    def put(self, rows: ArrayLike, *others: tuple[Self, ArrayLike]) -> Self:
        """This population with genotypes of others at `rows`, which may also be new rows at its end. It may
        be changed in place or copied: use what is returned and not the old one.

        Args:
            others: pairs of a population and the rows of its genotypes that are put there, one after the
                other.

        Raises:
            ValueError: there is not one row per genotype, or new rows leave a gap.
        """
        ...

    def lent(self, loan: Loan) -> Self:
        """The same genotypes, not to be changed, as part of a loan (`fooling.lending`)."""
        ...

    def arrays(self) -> dict[str, NDArray]:
        """The arrays by name, as they are saved in files; views, not copies."""
        ...

    def canonical_bytes(self, row: int) -> bytes:
        """The one form of a genotype in bytes, the same on every machine."""
        ...


P = TypeVar("P", bound=Genotypes)


class Encoding(Protocol[P]):
    """Makes, varies and renders populations of one kind.

    Attributes:
        name: the `name` in the `[encoding]` table of a config.
        settings: the settings in that table, resolved.
        has_crossover: whether `mate` does anything; if not, a child has one parent.
        image_shape: (H, W, C) of the images that `render` makes.
    """

    name: str
    settings: Any
    has_crossover: bool
    image_shape: tuple[int, int, int]

    def empty(self, room: int = 0) -> P:
        """A population without genotypes, to which about `room` genotypes will be added."""
        ...

    def initialise(self, keys: Keys) -> P:
        """One random genotype per key."""
        ...

    def mate(self, parents: P, mates: P, keys: Keys) -> P:
        """One child of each parent and its mate. The children 2i and 2i + 1 are siblings: the parent of one
        is the mate of the other, and they draw what they have to agree on from `keys.pairs()`. This may
        change `parents` in place: pass a population that nobody else uses, and use what is returned."""
        ...

    def mutate(self, population: P, keys: Keys) -> P:
        """A mutated child of each genotype. This may change `population` in place, as `mate` may."""
        ...

    def render(self, population: P, size: Size | None = None) -> NDArray[np.uint8]:
        """The images, (N, H, W, C) uint8, grey or RGB as the classifier takes them.

        Args:
            size: another size than that of the settings, for encodings that can render at any size.

        Raises:
            ValueError: this encoding can't render at that size.
        """
        ...

    def render_on(self, population: P, device: str) -> Tensor:
        """The images that `render` makes, bit for bit, as a tensor on a CUDA device."""
        ...

    def from_arrays(self, arrays: Mapping[str, NDArray]) -> P:
        """A population from arrays from outside; the inverse of `Genotypes.arrays`.

        Raises:
            InvalidError: the arrays are not a population of this encoding.
        """
        ...
