"""What networks put out, as one number per class, and as confidences."""

from __future__ import annotations

import torch
from torch import Tensor

from fooling.classifiers.spec import Output, Spec


def per_class(found: object, spec: Spec, rows: int) -> Tensor:
    """What a network put out for a batch, with a column for each class.

    Two classes may share a single number: the second class's probability p, whose counterpart is 1 - p, or its
    logit z, whose counterpart is -z.

    Args:
        found: a tensor (rows, classes); or, where one number will do, (rows, 1) or what is left of it by a squeeze.

    Returns:
        (rows, classes) float32.

    Raises:
        ValueError: anything else.
    """
    if not isinstance(found, Tensor):
        raise ValueError(f"{_expected(spec, rows)}, found {type(found).__name__}")
    outputs = found
    if 1 in spec.columns and outputs.numel() == rows and outputs.ndim < 2:
        outputs = outputs.reshape(rows, 1)
    if outputs.ndim != 2 or len(outputs) != rows or outputs.shape[1] not in spec.columns:
        raise ValueError(f"{_expected(spec, rows)}, found {tuple(found.shape)}{_hint(found, spec)}")
    if outputs.dtype != torch.float32:
        outputs = outputs.float()
    if outputs.shape[1] == len(spec.labels):
        return outputs
    other = -outputs if spec.output == "sigmoid" else 1.0 - outputs
    return torch.cat([other, outputs], 1)


def as_confidences(outputs: Tensor, kind: Output) -> Tensor:
    """(rows, classes) float32, what they mean: in [0, 1] as far as the network keeps to its kind."""
    if kind == "logits":
        return outputs.softmax(1)
    return outputs.sigmoid() if kind == "sigmoid" else outputs


def _expected(spec: Spec, rows: int) -> str:
    return f"expected output of shape {(rows, len(spec.labels))} (rows, labels)"


def _hint(found: Tensor, spec: Spec) -> str:
    if len(spec.labels) == 2 and found.shape[1:] in ((), (1,)):
        return ': for one logit of the second label say output = "sigmoid", for its probability output = "scores"'
    return ""
