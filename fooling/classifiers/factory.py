"""Making a classifier of what a user brings: `from_module`, and what is said about anything else."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fooling.classifiers.classifier import Classifier
from fooling.classifiers.forward import Network
from fooling.classifiers.modules import copied_network
from fooling.classifiers.numerics import Numerics
from fooling.classifiers.spec import Spec
from fooling.errors import InvalidError

_SPEC = 'Spec(name="mine", size=224, colour="rgb", labels=[...])'


def from_module(
    module: Network,
    spec: Spec,
    numerics: Numerics | None = None,
    *,
    mean_image: NDArray[np.float32] | None = None,
) -> Classifier:
    """A classifier of any `torch.nn.Module`, or any function of a tensor.

    A module is copied, so that the classifier stays what its fingerprint says when the module is trained on,
    and the module stays as it is when the copy is moved to the device and memory layout of the numerics. The
    copy is in the mode that the module is in (`check` reports one left in training mode).

    Args:
        module: (rows, *input shape of the spec) float32 to (rows, classes).
        spec: size, colour, labels, preprocessing and output kind.
        numerics: left out: `numerics.resolve()`.
        mean_image: (input channels, height, width) float32 where the spec names one.

    Raises:
        InvalidError: no network or no spec; the mean image does not fit the spec, a single class has nothing to exclude, a layer has no
            weights before its first input, or the module can't be copied.
    """
    if not callable(module) or isinstance(module, type):
        found = f"the class {module.__name__}" if isinstance(module, type) else type(module).__name__
        raise InvalidError(
            f"from_module: expected a torch.nn.Module or a function of a tensor, found {found}"
        )
    if not isinstance(spec, Spec):
        raise InvalidError(
            f"from_module: expected what is said about the network, {_SPEC}, found {type(spec).__name__}"
        )
    return Classifier(copied_network(module, spec), spec, numerics, mean_image=mean_image)


def expect_classifier(given: object) -> None:
    """
    Raises:
        InvalidError: it is none; the line says how to make one of what was given.
    """
    if isinstance(given, Classifier):
        return
    how = f"fooling.classifiers.from_module(network, {_SPEC})"
    if isinstance(given, str):
        how = f"fooling.classifiers.load({given!r})"
    raise InvalidError(f"expected a Classifier, found {type(given).__name__}: make one with {how}")
