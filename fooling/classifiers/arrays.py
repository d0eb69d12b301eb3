"""Networks that are functions of NumPy arrays: of Keras, JAX, scikit-learn, or whatever has a `predict`."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fooling.errors import InvalidError


def numpy_function(function: Callable[[NDArray[Any]], Any]) -> Callable[[Tensor], Any]:
    """A network for `from_module` that asks a function of arrays. No gradients lead through it.

    Args:
        function: takes what the spec's preprocessing makes of a batch: (n, channels, height, width) float32, or
            what its `layout` and `dtype` say. Returns an array (n, classes), or what can be made one; or several, in
            a tuple or a dictionary.

    Raises:
        InvalidError: it is no function.
    """
    if not callable(function):
        raise InvalidError(
            f"expected a function of an array, found {type(function).__name__}: give its method, "
            "numpy_function(model.predict)"
        )

    @torch.compiler.disable  # `run.compile` has nothing to compile here
    @functools.wraps(function, updated=())  # the fingerprint holds the function's name
    def ask(images: Tensor) -> Any:
        return _as_tensors(function(np.ascontiguousarray(images.detach().cpu().numpy())), images.device)

    return ask


def _as_tensors(found: Any, device: torch.device) -> Any:
    """Arrays as tensors; a list of rows is one array, a list of arrays are several outputs."""
    if isinstance(found, Mapping):
        return {name: _as_tensors(part, device) for name, part in found.items()}
    if isinstance(found, tuple | list) and any(np.ndim(part) > 1 for part in found):
        return [_as_tensors(part, device) for part in found]
    array = np.asarray(found)
    if not array.flags.writeable:  # as those of JAX are not; torch knows no such thing
        array = array.copy()
    return torch.from_numpy(array).to(device) if array.dtype.kind in "fiub" else found
