"""Arrays lent read-only: their owner learns when nobody reads them any more, and until then writes to copies.

A snapshot of a run costs nothing while it is looked at and dropped, as a progress line does, and never changes for
whoever keeps it. numpy keeps the holder of an array's memory alive as long as any view of it lives.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


class Loan:
    """What all arrays of one loan hold: it is alive as long as any of them, or of their views, is."""


class _Memory:
    """The memory of an array, read-only, as numpy takes it."""

    def __init__(self, array: NDArray[Any], loan: Loan) -> None:
        address, _ = array.__array_interface__["data"]
        self.__array_interface__ = {**array.__array_interface__, "data": (address, True)}
        self._kept = array, loan


def lend(array: NDArray[Any], loan: Loan) -> NDArray[Any]:
    """The array without a copy and read-only, part of a loan."""
    return np.asarray(_Memory(array, loan))
