"""The activation functions of `cppn.activations` in the defined float32 arithmetic of `cppn.arithmetic`.

The output of a node is a finite number, whatever the weights are, NaN and infinity included.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cppn.activations import GAUSSIAN, LINEAR, SIGMOID, SINE, TANH
from cppn.arithmetic import clip, exponential, sine
from cppn.jit import jitable

_ZERO, _ONE, _TWO, _THREE = np.float32(0), np.float32(1), np.float32(2), np.float32(3)
_TANH = np.float32(10)  # tanh(5p) is the sigmoid of 10p
_LARGEST = np.finfo(np.float32).max


@jitable
def sigmoid(p: Any) -> Any:
    """2 / (1 + e^-p) - 1."""
    return _TWO / (_ONE + exponential(-p)) - _ONE


@jitable
def tanh(p: Any) -> Any:
    """tanh(5p)."""
    return sigmoid(_TANH * p)


@jitable
def gaussian(p: Any) -> Any:
    """e^(-p^2)."""
    return exponential(-(p * p))


@jitable
def linear(p: Any) -> Any:
    """p / 3, limited to [-1, 1]."""
    return clip(p, -_THREE, _THREE) / _THREE


@jitable
def relu(p: Any) -> Any:
    """p where it is positive, else 0, and at most the largest finite float32."""
    return clip(p, _ZERO, _LARGEST)


@jitable
def activate(function: int | np.integer, values: NDArray[np.float32], count: int) -> None:
    """Apply activation function number `function` to the first `count` values, in place; inside kernels. Each
    function has a loop of its own, because LLVM vectorises loops without branches."""
    if function == SINE:
        for i in range(count):
            values[i] = sine(values[i])
    elif function == SIGMOID:
        for i in range(count):
            values[i] = sigmoid(values[i])
    elif function == GAUSSIAN:
        for i in range(count):
            values[i] = gaussian(values[i])
    elif function == LINEAR:
        for i in range(count):
            values[i] = linear(values[i])
    elif function == TANH:
        for i in range(count):
            values[i] = tanh(values[i])
    else:
        for i in range(count):
            values[i] = relu(values[i])
