"""What a classifier lets an audit see, and how to say what it does not.

An access of more implies less: whoever sees logits sees scores, whoever sees scores sees labels.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from fooling.classifiers import Classifier
from fooling.classifiers.outputs import per_class
from fooling.classifiers.spec import LOGITS
from fooling.classifiers.synthetic import synthetic
from fooling.errors import FoolingError

Level = Literal["label", "top-k", "scores", "logits"]
Capability = Literal[
    "scores",
    "logits",
    "softmax",
    "features",
    "head",
    "gradients",
    "training",
    "fit images",
    "many images",
]
_INPUT = ":input"
_CLOSE = 1e-3  # how far the head's own products may be from the network's logits, relative to the largest


@dataclass(frozen=True)
class Access:
    """What can be asked of a classifier.

    Attributes:
        level: the most that its answers say of an image.
        layer: the layer whose features detectors read; None where there is none.
        layer_sha256: of its name and its features of the synthetic images: what exactly was read.
        missing: why what is not there is not: one clause for each.
    """

    level: Level
    layer: str | None = None
    layer_sha256: str | None = None
    missing: Mapping[str, str] = field(default_factory=dict)

    def lacks(self, *needed: Capability) -> str | None:
        """Why something that is needed can't be had: "needs logits: ..."; None where all is there."""
        for name in needed:
            if name in self.missing:
                return f"needs {name}: {self.missing[name]}"
        return None


def access_of(classifier: Classifier, layer: str | None = None, labelled: bool = True) -> Access:
    """What can be asked of a classifier in this process.

    Args:
        layer: the layer that the user named.
        labelled: whether there are labelled real images.

    Raises:
        ClassifierError: the network has no layer of that name.
    """
    spec, missing = classifier.spec, {}
    if spec.output not in LOGITS:
        missing["logits"] = f'the classifier puts out {spec.output} (output = "{spec.output}" in its spec)'
        missing["softmax"] = missing["logits"]
    elif spec.output == "sigmoid":
        missing["softmax"] = "its classes don't exclude each other: each has a sigmoid of its own"
    if not classifier.differentiable:
        missing["gradients"] = "no gradients reach the images"
    found, why = _layer(classifier, layer)
    if found is None:
        missing["features"] = why
        missing["head"] = why
    elif "logits" in missing:
        missing["head"] = missing["logits"]
    elif (reason := _head(classifier, found)) is not None:
        missing["head"] = reason
    trainable = isinstance(classifier.network, nn.Module) and not isinstance(
        classifier.network, torch.jit.ScriptModule
    )
    if "gradients" in missing or not trainable:
        missing["training"] = missing.get("gradients", "the network is no torch.nn.Module")
    elif "logits" in missing:
        missing["training"] = missing["logits"]
    elif "softmax" in missing:
        missing["training"] = missing["softmax"]
    if getattr(classifier.network, "not_distributable", ""):
        missing["many images"] = "each is a query of a remote service, which a search would need thousands of"
    if not labelled:
        missing["fit images"] = "no labelled real images were given (--samples)"
    digest = _digest(classifier, found) if found is not None else None
    return Access("scores" if "logits" in missing else "logits", found, digest, missing)


def head_of(classifier: Classifier, layer: str) -> nn.Linear | None:
    """The linear layer whose input the features are."""
    if not layer.endswith(_INPUT) or not isinstance(classifier.network, nn.Module):
        return None
    module = dict(classifier.network.named_modules()).get(layer.removesuffix(_INPUT))
    return module if isinstance(module, nn.Linear) else None


def _layer(classifier: Classifier, named: str | None) -> tuple[str | None, str]:
    """The layer of the features, and why there is none."""
    if named is not None:
        classifier.features(synthetic(classifier.spec.size, classifier.spec.channels, 1), named)
        return named, ""
    if not isinstance(classifier.network, nn.Module):
        return None, "the network is no torch.nn.Module"
    try:
        layer = classifier.penultimate
        why = _unlike(classifier, layer)
    except FoolingError:
        why = "the network does not end in a linear layer"
    if why is not None:
        return None, f"{why}: name the layer to read (--layer; `fooling models info` lists them)"
    return layer, ""


def _unlike(classifier: Classifier, layer: str) -> str | None:
    """Why the answers are not those of the linear layer that is given the features; None where they are. What looks
    like the last layer by its size may be another."""
    spec, pixels = classifier.spec, synthetic(classifier.spec.size, classifier.spec.channels)
    made = _made(classifier, layer, pixels)
    assert made is not None
    if spec.output in LOGITS:
        put_out = torch.from_numpy(classifier.logits(pixels))
        alike = _close(per_class(made, spec, len(made)), put_out)
    else:
        put_out = torch.from_numpy(classifier.classify(pixels))
        wide = made if made.shape[1] == put_out.shape[1] else torch.cat([-made, made], 1)
        alike = _close(wide.softmax(1), put_out) or _close(wide.sigmoid(), put_out)
    return (
        None if alike or spec.views > 1 else f"the answers are not those of the linear layer behind {layer}"
    )


def _head(classifier: Classifier, layer: str) -> str | None:
    """Why the features and a linear layer don't give the logits; None where they do."""
    pixels = synthetic(classifier.spec.size, classifier.spec.channels)
    made = _made(classifier, layer, pixels)
    if made is None:
        return f"{layer} is not what a linear layer is given"
    logits = torch.from_numpy(classifier.logits(pixels))
    if made.shape != logits.shape:
        return (
            f"the linear layer behind {layer} puts out {made.shape[1]} numbers for {logits.shape[1]} classes"
        )
    return None if _close(made, logits) else f"the logits are not those of the linear layer behind {layer}"


def _made(classifier: Classifier, layer: str, pixels: NDArray[np.uint8]) -> Tensor | None:
    """(n, K) float32: what the linear layer behind the features makes of them; None where there is none."""
    head = head_of(classifier, layer)
    if head is None:
        return None
    features = torch.from_numpy(classifier.features(pixels, layer))
    with torch.no_grad():
        return head(features.to(head.weight.device).to(head.weight.dtype)).cpu().float()


def _close(made: Tensor, found: Tensor) -> bool:
    return made.shape == found.shape and bool(
        (made - found).abs().max() <= _CLOSE * max(1.0, float(found.abs().max()))
    )


def _digest(classifier: Classifier, layer: str) -> str:
    pixels = synthetic(classifier.spec.size, classifier.spec.channels)
    sha = hashlib.sha256(layer.encode() + b"\0")
    sha.update(classifier.features(pixels, layer).astype("<f4").tobytes())
    return sha.hexdigest()
