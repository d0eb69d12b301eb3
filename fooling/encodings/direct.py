"""The direct encoding: a gene for each channel of each pixel (Nguyen 2015, section 1)."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cppn.jit import readonly
from cppn.keys import INITIALISE, MATE, MUTATE, Keys
from cppn.population import length_after
from cppn.rendering.colour import to_bytes
from fooling.encodings.genes import mutate_genes, random_genes
from fooling.encodings.sbx import cross
from fooling.encodings.settings import ResolvedDirect
from fooling.errors import InvalidError
from fooling.lending import Loan, lend
from fooling.sizes import Size, channels_of, sides

if TYPE_CHECKING:
    from torch import Tensor


class DirectPopulation:
    """The genes of N images. New rows are written in place, and the array doubles when it is full: the elites
    of 1,000 classes at 256 x 256 pixels take 786 MB, too much to copy in every generation."""

    def __init__(self, genes: NDArray[np.float32], count: int | None = None) -> None:
        """
        Args:
            genes: (N, H, W, C) float32 in [0, 1], with C = 1 (grey) or 3; not copied.
            count: how many of the first rows are genotypes; the other rows are room for more. None for all.
        """
        self._store = genes
        self._count = len(genes) if count is None else count

    @property
    def genes(self) -> NDArray[np.float32]:
        """(N, H, W, C) float32 in [0, 1], a view."""
        return self._store[: self._count]

    @property
    def flat(self) -> NDArray[np.float32]:
        """(N, H * W * C) float32 in [0, 1], a view."""
        return self.genes.reshape(self._count, math.prod(self._store.shape[1:]))

    def __len__(self) -> int:
        return self._count

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return DirectPopulation, (self.genes,)  # without the room for more

    def take(self, rows: ArrayLike) -> DirectPopulation:
        """See `Genotypes.take`."""
        return DirectPopulation(self.genes[np.asarray(rows, np.int64)])

    def put(self, rows: ArrayLike, *others: tuple[DirectPopulation, ArrayLike]) -> DirectPopulation:
        """See `Genotypes.put`. This changes and returns the population itself."""
        for other, _ in others:
            if other.genes.shape[1:] != self._store.shape[1:]:
                raise ValueError(f"expected images of {self._store.shape[1:]}, found {other.genes.shape[1:]}")
        rows = np.asarray(rows, np.int64)
        images = [other.genes[row] for other, which in others for row in np.asarray(which, np.int64)]
        length = length_after(self._count, rows, len(images))
        if length > len(self._store) or not self._store.flags.writeable:
            room = max(length, 2 * len(self._store)) if length > len(self._store) else len(self._store)
            store = np.empty((room, *self._store.shape[1:]), np.float32)
            store[: self._count] = self.genes
            self._store = store
        for row, image in zip(rows.tolist(), images, strict=True):  # numpy's fancy indexing would copy twice
            self._store[row] = image
        self._count = length
        return self

    def lent(self, loan: Loan) -> DirectPopulation:
        """See `Genotypes.lent`."""
        return DirectPopulation(lend(self._store, loan), self._count)

    def arrays(self) -> dict[str, NDArray]:
        """See `Genotypes.arrays`: `genes`, (N, H, W, C) float32."""
        return {"genes": self.genes}

    def canonical_bytes(self, row: int) -> bytes:
        """The one form of a genotype in bytes, little-endian: H, W and C (int32), then the genes
        (float32)."""
        genes = self.genes[row]
        return np.array(genes.shape, "<i4").tobytes() + genes.astype("<f4", copy=False).tobytes()


class DirectEncoding:
    """See `fooling.encodings.protocol.Encoding`."""

    name = "direct"

    def __init__(self, settings: ResolvedDirect, channels: Literal[1, 3]) -> None:
        """`channels` are those of the classifier's images."""
        self.settings = settings
        self.has_crossover = settings.crossover != "none"
        self._colour, self._channels = settings.colour, channels
        self.image_shape: tuple[int, int, int] = (*sides(settings.size), channels)
        self._gene_shape = (*self.image_shape[:2], channels_of(settings.colour))

    def empty(self, room: int = 0) -> DirectPopulation:
        try:
            store = np.empty((room, *self._gene_shape), np.float32)  # takes memory only where it is written
        except MemoryError:  # this system promises no more memory than it has; less may be needed
            store = np.empty((0, *self._gene_shape), np.float32)
        return DirectPopulation(store, 0)

    def initialise(self, keys: Keys) -> DirectPopulation:
        population = DirectPopulation(np.empty((len(keys), *self._gene_shape), np.float32))
        random_genes(*keys.counters(INITIALISE), population.flat)
        return population

    def mate(self, parents: DirectPopulation, mates: DirectPopulation, keys: Keys) -> DirectPopulation:
        """See `Encoding.mate`. If a pair is not crossed, the released code gives the copies of the parents to
        the siblings in random order. Here each sibling is a copy of its own parent, so that the recorded
        parent is the true one; this changes no probability, because both parents are drawn in the same
        way."""
        if not self.has_crossover:
            return parents
        _check_lengths(keys, parents, mates)
        parents = _writeable(parents)
        rate, eta = self.settings.crossover_rate, self.settings.crossover_eta
        released = self.settings.crossover == "sbx-released"
        cross(parents.flat, readonly(mates.flat), rate, eta, released, *keys.counters(MATE))
        return parents

    def mutate(self, population: DirectPopulation, keys: Keys) -> DirectPopulation:
        _check_lengths(keys, population)
        population = _writeable(population)
        rate, eta = self.mutation_rate(keys.generation), self.settings.mutation_eta
        mutate_genes(population.flat, rate, eta, *keys.counters(MUTATE))
        return population

    def mutation_rate(self, generation: int) -> float:
        """The probability that a gene mutates in a generation; it may halve every so many generations."""
        halving = self.settings.mutation_halving
        return math.ldexp(self.settings.mutation_rate, -(generation // halving) if halving else 0)

    def render(self, population: DirectPopulation, size: Size | None = None) -> NDArray[np.uint8]:
        if size not in (None, self.settings.size):
            raise ValueError(f"direct images have one size: expected {self.settings.size}, found {size}")
        return to_bytes(population.genes, self._colour, self.settings.quantisation, self._channels)

    def render_on(self, population: DirectPopulation, device: str) -> Tensor:
        from cppn.rendering.gpu import to_device

        return to_device(self.render(population), device)

    def from_arrays(self, arrays: Mapping[str, NDArray]) -> DirectPopulation:
        genes = arrays.get("genes", np.empty(0))
        if genes.dtype != np.float32 or genes.shape[1:] != self._gene_shape:
            expected = ", ".join(map(str, self._gene_shape))
            raise InvalidError(
                f"direct genes: expected (N, {expected}) float32, found {genes.shape} {genes.dtype}"
            )
        if not isinstance(genes, np.ndarray):  # left in its file, to be read row by row
            return DirectPopulation(genes)
        if not (genes.min(initial=0) >= 0 and genes.max(initial=0) <= 1):
            raise InvalidError("direct genes: expected numbers in [0, 1], found others")
        return DirectPopulation(np.ascontiguousarray(genes))


def _writeable(population: DirectPopulation) -> DirectPopulation:
    """The population itself, or a copy if its arrays are read-only, as those from Ray are."""
    return population if population.genes.flags.writeable else DirectPopulation(population.genes.copy())


def _check_lengths(keys: Keys, *populations: DirectPopulation) -> None:
    for population in populations:
        if len(population) != len(keys):
            raise ValueError(f"expected a key per genotype: {len(population)}, found {len(keys)}")
