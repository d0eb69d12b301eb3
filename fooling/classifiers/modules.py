"""What becomes of a user's module before it is asked: a copy of its own, layers that have their sizes, float32."""

from __future__ import annotations

import copy
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from fooling.classifiers.spec import Spec
from fooling.errors import InvalidError, first_line


def copied_network(network: Callable[[Tensor], Tensor], spec: Spec) -> Callable[[Tensor], Tensor]:
    """A copy of a module, which shares nothing with it (`copied`); any other function is returned as it is.

    Raises:
        InvalidError: as `copied`.
    """
    return copied(network, spec) if isinstance(network, nn.Module) else network


def copied(module: nn.Module, spec: Spec) -> nn.Module:
    """A copy that shares nothing with the module.

    Tensors that a forward pass left on its parts, as weight_norm and spectral_norm do, are copied as values:
    torch refuses to copy what was computed.

    Raises:
        InvalidError: it can't be copied, or not yet (`expect_initialised`).
    """
    expect_initialised(module, spec)
    computed = [
        value
        for part in module.modules()
        for value in vars(part).values()
        if isinstance(value, Tensor) and not value.is_leaf
    ]
    try:
        return copy.deepcopy(module, {id(value): value.detach().clone() for value in computed})
    except Exception as error:
        raise InvalidError(
            f"{spec.name}: expected a network that can be copied, found {type(error).__name__}: {first_line(error, 120)}: give a function of "
            "it, which is not copied: from_module(lambda x: network(x), spec)"
        ) from error


def expect_initialised(module: nn.Module, spec: Spec) -> None:
    """
    Raises:
        InvalidError: a layer waits for its first input to know its size, and has no weights yet.
    """
    for name, part in module.named_modules():
        tensors = [*part.parameters(recurse=False), *part.buffers(recurse=False)]
        if any(is_lazy(tensor) for tensor in tensors):
            shape = ", ".join(map(str, (1, *spec.input_shape)))
            raise InvalidError(
                f"{spec.name}: expected layers with weights, found {type(part).__name__} at {name!r}, which has none "
                f"before its first input: run one forward pass first, network(torch.zeros({shape})), then load the weights"
            )


def in_float32(module: nn.Module, spec: Spec, preprocess: nn.Module) -> nn.Module:
    """The module itself, converted where it computes in another precision and does not take what the preprocessing
    makes of an image: float32 is what every machine repeats, and half precision is slow on CPUs."""
    dtypes = {parameter.dtype for parameter in module.parameters() if parameter.is_floating_point()}
    if dtypes <= {torch.float32}:
        return module
    height, width, channels = spec.image_shape
    inputs = preprocess(torch.zeros(1, channels, height, width))[:1]
    try:
        with torch.no_grad():
            module(inputs.to(next(module.parameters()).device))
    except torch.OutOfMemoryError:
        raise
    except Exception:
        return module.float()
    return module
