"""What an archive has cells for: each class, or each class and bin of the measures of an image."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Cells:
    """C cells in the order of their classes; those of one class are in the order of their bins.

    An image competes for one cell of every class: for that of the bin into which its measures fall.

    Attributes:
        number_of_classes: K.
        bins: how many bins each measure has; () where a cell is a class, which then has the number of its class.
    """

    number_of_classes: int
    bins: tuple[int, ...] = ()

    def __len__(self) -> int:
        return self.number_of_classes * self.per_class

    @property
    def per_class(self) -> int:
        """How many cells a class has."""
        return math.prod(self.bins)

    @cached_property
    def index(self) -> NDArray[np.int32]:
        """(C, 1 + measures) int32: the class of each cell, and its bin along each measure."""
        shape = (self.number_of_classes, *self.bins)
        return np.indices(shape, np.int32).reshape(len(shape), -1).T

    @property
    def classes(self) -> NDArray[np.int32]:
        """(C,) int32: the class of each cell."""
        return self.index[:, 0]

    def siblings(self, cells: NDArray[np.int64]) -> NDArray[np.int64]:
        """(n, C / K): of each of n cells, all cells of its class, itself included."""
        first = cells - cells % self.per_class
        return first[:, None] + np.arange(self.per_class)
