"""What networks put out, as one number per class, and as confidences."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass

import torch
from torch import Tensor

from fooling.classifiers.spec import Output, Spec

# How far outputs are looked for in tuples of tuples.
_DEEPEST = 3


def per_class(found: object, spec: Spec, rows: int) -> Tensor:
    """What a network put out for a batch, with a column for each class.

    Two classes may share a single number: the second class's probability p, whose counterpart is 1 - p, or its
    logit z, whose counterpart is -z.

    Args:
        found: a tensor (rows, classes), or (rows, classes, 1, 1) of a network that ends in a convolution; or, where one
            number will do, (rows, 1) or what is left of it by a squeeze.
            Or several tensors, as a tuple, a dictionary or an object holds them: that of the spec's `output_key`, else
            the only one of such a shape.

    Returns:
        (rows, classes) float32.

    Raises:
        ValueError: anything else.
    """
    outputs = found if isinstance(found, Tensor) else _chosen(found, spec, rows)
    if not _fits(outputs, spec, rows):
        raise ValueError(f"{_expected(spec, rows)}, found {tuple(outputs.shape)}{_hint(outputs, spec)}")
    if outputs.ndim != 2:
        outputs = outputs.reshape(rows, -1)
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


def _fits(outputs: Tensor, spec: Spec, rows: int) -> bool:
    if outputs.ndim < 2:
        return 1 in spec.columns and outputs.numel() == rows
    ones = outputs.shape[2:].numel() == 1  # of no axes, too
    return ones and len(outputs) == rows and outputs.shape[1] in spec.columns


def _chosen(found: object, spec: Spec, rows: int) -> Tensor:
    """The one of several outputs that is meant."""
    key, tensors = spec.output_key, dict(tensors_in(found))
    if key is None:
        meant = [name for name, tensor in tensors.items() if _fits(tensor, spec, rows)]
    else:
        names = list(tensors)
        meant = [
            name for index, name in enumerate(names) if key == name or key in (index, index - len(names))
        ]
    if len(meant) == 1:
        return tensors[meant[0]]
    shown = ", ".join(f"{name} {tuple(tensor.shape)}" for name, tensor in tensors.items())
    wanted = _expected(spec, rows) if key is None else f"expected output_key = {key!r}"
    if tensors:
        way_out = f" of {shown}: say output_key = the name, or the index, of the one that is meant"
    else:
        way_out = "; functions of NumPy arrays go through fooling.classifiers.numpy_function"
    raise ValueError(f"{wanted}, found {type(found).__name__}{way_out}")


def tensors_in(found: object, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Tensor]]:
    """The tensors in a tuple, list, dictionary or object, by dotted names like "logits" or "1.0"."""
    if isinstance(found, Tensor):
        yield ".".join(path), found
    elif len(path) < _DEEPEST:
        for name, part in _parts(found):
            yield from tensors_in(part, (*path, str(name)))


def _parts(found: object) -> Iterable[tuple[object, object]]:
    if isinstance(found, Mapping):
        return found.items()
    if isinstance(found, tuple | list):
        return zip(getattr(found, "_fields", range(len(found))), found, strict=True)
    if is_dataclass(found):
        return [(field.name, getattr(found, field.name)) for field in fields(found)]
    return getattr(found, "__dict__", {}).items()


def _expected(spec: Spec, rows: int) -> str:
    return f"expected output of shape {(rows, len(spec.labels))} (rows, labels)"


def _hint(found: Tensor, spec: Spec) -> str:
    if len(spec.labels) == 2 and found.shape[1:] in ((), (1,)):
        return ': for one logit of the second label say output = "sigmoid", for its probability output = "scores"'
    return ""
