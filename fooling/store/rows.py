"""An array in a file, of which only the rows that are asked for are read."""

from __future__ import annotations

import math
import os
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from fooling.errors import InvalidError


class Rows:
    """Stands where an array stands whose rows are looked at one by one. The file stays open with it, so that its rows are
    there also when the file has been deleted. It may be read from any thread.

    Nothing is mapped into memory: a file that somebody cuts short while it is read is an error, and not the end of the
    process.

    Attributes:
        shape, dtype: of the array.
    """

    def __init__(self, file: BinaryIO, begin: int, shape: tuple[int, ...], dtype: np.dtype) -> None:
        """
        Args:
            file: is kept; opened by its reader, who leaves it open.
            begin: where in the file the first row begins.
        """
        self._file, self._begin = file, begin
        self.shape, self.dtype = shape, dtype

    def __len__(self) -> int:
        return self.shape[0]

    @property
    def nbytes(self) -> int:
        """Of the whole array, in the file."""
        return math.prod(self.shape) * self.dtype.itemsize

    def __getitem__(self, wanted: int | slice | NDArray) -> NDArray | Rows:
        """A row; the first rows, which are not read yet; or the rows of some numbers, or of a mask.

        Raises:
            IndexError: there is no such row.
            InvalidError: the file was cut short.
        """
        if isinstance(wanted, slice):
            begin, end, step = wanted.indices(len(self))
            if begin or step != 1:
                raise IndexError("expected the first rows, found others")
            return Rows(self._file, self._begin, (end, *self.shape[1:]), self.dtype)
        if isinstance(wanted, np.ndarray):
            numbers = np.flatnonzero(wanted) if wanted.dtype == bool else wanted
            found = np.empty((len(numbers), *self.shape[1:]), self.dtype)
            for place, number in enumerate(numbers.tolist()):
                found[place] = self._row(number)
            return found
        return self._row(int(wanted))

    def __array__(self, dtype: np.dtype | None = None, copy: bool | None = None) -> NDArray:
        """All rows."""
        return np.asarray(self[np.arange(len(self))], dtype)

    def _row(self, number: int) -> NDArray:
        if not 0 <= number < len(self):
            raise IndexError(f"expected a row below {len(self)}, found {number}")
        size = math.prod(self.shape[1:]) * self.dtype.itemsize
        data = os.pread(self._file.fileno(), size, self._begin + number * size)
        if len(data) != size:
            raise InvalidError("a checkpoint was cut short while it was read")
        return np.frombuffer(data, self.dtype).reshape(self.shape[1:])
