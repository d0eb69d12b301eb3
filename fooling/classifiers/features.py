"""Features: what a layer within a network puts out for an image, or is given, as one vector.

A layer is named as `torch.nn.Module.named_modules` does, like "layer4.1.conv2"; "NAME:input" is what goes into it. Of
feature maps and of tokens the mean over all positions is taken, as detectors that read features do (Lee et al. 2018).
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn

from fooling.classifiers.outputs import tensors_in
from fooling.classifiers.spec import Spec
from fooling.classifiers.validity import ClassifierError
from fooling.errors import did_you_mean

_INPUT = ":input"
_NAMED = 8  # layers that an error lists


def layer_names(network: object) -> tuple[str, ...]:
    """The names of a network's layers, in the order of their definition; none where the network is no nn.Module."""
    return (
        tuple(name for name, _ in network.named_modules() if name) if isinstance(network, nn.Module) else ()
    )


def penultimate(network: object, spec: Spec) -> str:
    """The features that the network's last linear layer turns into its outputs: "NAME:input".

    Raises:
        ClassifierError: the network has no linear layer that puts out a number per class.
    """
    modules = list(network.named_modules()) if isinstance(network, nn.Module) else []
    for name, module in reversed(modules):
        if isinstance(module, nn.Linear) and module.out_features in spec.columns:
            return name + _INPUT
    raise ClassifierError(f"{spec.name}: expected a linear layer of {len(spec.labels)} outputs, found none")


def expect_module(network: object, spec: Spec) -> nn.Module:
    """The network itself.

    Raises:
        ClassifierError: it is no nn.Module.
    """
    if not isinstance(network, nn.Module):
        raise ClassifierError(f"{spec.name}: expected a torch.nn.Module, found another function")
    return network


@contextmanager
def recorded(network: object, layer: str, spec: Spec) -> Iterator[list[Tensor]]:
    """Record what a layer puts out, or is given, when this thread runs the network inside the block.

    Yields:
        A list to which each call of the layer adds a tensor.

    Raises:
        ClassifierError: the network is no nn.Module, or has no such layer.
    """
    network = expect_module(network, spec)
    name = layer.removesuffix(_INPUT)
    module = dict(network.named_modules()).get(name) if name else None
    if module is None:
        names = layer_names(network)
        some = ", ".join(names[:_NAMED]) + (", ..." if names[_NAMED:] else "")
        near = did_you_mean(name, names) or f"; its layers: {some or 'none'}"
        raise ClassifierError(f"{spec.name}: expected the name of a layer, found {layer!r}{near}")
    found: list[Tensor] = []
    thread = threading.get_ident()  # other threads may ask the same network meanwhile

    def record(_: nn.Module, given: Any, output: Any) -> None:
        if threading.get_ident() == thread:
            tensors = tensors_in(given if layer.endswith(_INPUT) else output)
            found.extend(tensor for _, tensor in list(tensors)[:1])

    handle = module.register_forward_hook(record)
    try:
        yield found
    finally:
        handle.remove()


def pooled(found: list[Tensor], layer: str, rows: int, spec: Spec) -> Tensor:
    """The features of a batch, (rows, F) float32, from what a layer put out when it was called last.

    Args:
        found: maps (rows, F, height, width), tokens (rows, tokens, F), or vectors (rows, F).

    Raises:
        ClassifierError: the layer was not called, or puts out something else.
    """
    if not found or found[-1].ndim < 2 or len(found[-1]) != rows:
        shape = (
            f"a tensor of shape {tuple(found[-1].shape)}" if found else "that the network does not call it"
        )
        raise ClassifierError(
            f"{spec.name}: expected {rows} rows of features from layer {layer!r}, found {shape}; name another layer"
        )
    values = found[-1].detach().float()
    if values.ndim == 3:
        return values.mean(1)
    return values.flatten(2).mean(2) if values.ndim > 3 else values
