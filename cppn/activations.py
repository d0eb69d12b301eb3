"""The activation functions of CPPNs: one table of numbers, names and formulas.

The numbers are stored in genotypes and files: append new ones, never renumber. The formulas here are the
plain definitions in float64; the renderers compute them in a defined float32 arithmetic (`cppn.arithmetic`).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

SINE, SIGMOID, GAUSSIAN, LINEAR, TANH, RELU = range(6)

# Name -> number, in the order of the numbers.
NAMES = ("sine", "sigmoid", "gaussian", "linear", "tanh", "relu")

# The functions that the paper's experiments draw from (Nguyen 2015, section 2 and released code).
PAPER = ("sine", "sigmoid", "gaussian", "linear")

FORMULAS: dict[int, Callable[[Array], Array]] = {
    SINE: np.sin,
    SIGMOID: lambda p: 2.0 / (1.0 + np.exp(-p)) - 1.0,
    GAUSSIAN: lambda p: np.exp(-p * p),
    LINEAR: lambda p: np.clip(p, -3.0, 3.0) / 3.0,
    TANH: lambda p: np.tanh(5.0 * p),
    RELU: lambda p: np.maximum(p, 0.0),
}


def numbers(names: tuple[str, ...] | list[str]) -> NDArray[np.uint8]:
    """The numbers of the activation functions with these names, as uint8.

    Raises:
        KeyError: a name is not in the table.
    """
    table = {name: number for number, name in enumerate(NAMES)}
    return np.array([table[name] for name in names], np.uint8)
