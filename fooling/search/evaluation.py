"""The task that asks a classifier about given images: what transfer, audits and explanations are computed with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from fooling.search.ascent.objective import Objective
from workers.host import Host
from workers.tasks import task


@dataclass(frozen=True)
class Wanted:
    """Images, and what is wanted of them besides their confidences.

    Attributes:
        pixels: (n, H, W, C) uint8.
        logits: whether logits are wanted.
        features: the layer whose features are wanted; None: none.
        gradients: (n,) the class of each image of which the gradient is wanted; None: none.
        allow_nan: whether an image that there is no confidence for is NaN; else it is an error.
        name: what messages call the chunk.
    """

    pixels: NDArray[np.uint8]
    logits: bool = False
    features: str | None = None
    gradients: NDArray[np.int64] | None = None
    allow_nan: bool = False
    name: str = "images"


@task
def evaluate(host: Host, shared: None, chunk: Wanted) -> dict[str, NDArray[np.float32] | None]:
    """The fields of an `Evaluation` (`fooling.runs.evaluator`), by name."""
    classifier, pixels = host.classifier, chunk.pixels
    return {
        "confidences": classifier.classify(pixels, allow_nan=chunk.allow_nan),
        "logits": classifier.logits(pixels) if chunk.logits else None,
        "features": None if chunk.features is None else classifier.features(pixels, chunk.features),
        "gradients": None if chunk.gradients is None else _gradients(host, pixels, chunk.gradients),
    }


def _gradients(host: Host, pixels: NDArray[np.uint8], classes: NDArray[np.int64]) -> NDArray[np.float32]:
    """(n, H, W, C) float32: the gradient of the logarithm of each image's confidence in its class with respect to the
    image in [0, 1]."""
    classifier, found = host.classifier, []
    objective = Objective("log-probability", classifier.spec.output)
    for start in range(0, len(pixels), classifier.images_per_pass):
        part = slice(start, start + classifier.images_per_pass)
        device = classifier.numerics.device
        images = torch.from_numpy(pixels[part]).to(device)
        targets = torch.from_numpy(classes[part]).to(device)
        confidences, guides = classifier.gradients(
            images, lambda outputs, targets=targets: objective.seeds(outputs, targets), allow_nan=True
        )
        own = confidences.gather(1, targets[:, None])[:, 0]
        found.append((guides * objective.scale(own).view(-1, 1, 1, 1)).cpu().numpy())
    return np.concatenate(found)
