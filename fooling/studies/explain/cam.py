"""Where the network looks: Grad-CAM (Selvaraju et al. 2017), and how it agrees with what was made (Xu et al. 2019)."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from fooling.classifiers import Classifier
from fooling.classifiers.features import recorded
from fooling.errors import FoolingError
from fooling.validation import Data

PERCENTILE = 70  # of the activation map: what is above counts as looked at


class Looked(Data):
    """How far the image's difference to its origin lies where the network looks.

    Attributes:
        layer: the last one that has a map.
        share: the norm of the difference within the region, over its norm (Xu et al. 2019, the interpretability score).
        chance: the same of a difference that is spread evenly: the root of the region's share of the image.
    """

    layer: str
    share: float
    chance: float


def looked(
    classifier: Classifier, image: NDArray[np.uint8], origin: NDArray[np.uint8], target: int
) -> Looked | None:
    """Hold the difference of image and origin, (H, W, C) uint8, against the map of the class; None where the network has no
    layer with a map, or gives no gradients."""
    found = activation_map(classifier, image, target)
    if found is None:
        return None
    layer, values = found
    region = values > np.percentile(values, PERCENTILE)
    difference = (image.astype(np.float64) - origin) ** 2
    whole = difference.sum()
    if not region.any() or not whole:
        return None
    return Looked(
        layer=layer,
        share=float(np.sqrt(difference[region].sum() / whole)),
        chance=float(np.sqrt(region.mean())),
    )


def activation_map(
    classifier: Classifier, image: NDArray[np.uint8], target: int
) -> tuple[str, NDArray[np.float64]] | None:
    """The name of the last layer with a map and, (H, W), where it speaks for the class: the channels weighted by their mean
    gradients, without what is below 0, at the image's size."""
    network = classifier.network
    if not classifier.differentiable or not isinstance(network, nn.Module):
        return None
    layer = _last_with_a_map(classifier, network, image)
    if layer is None:
        return None
    images = _floats(image).requires_grad_()
    with recorded(network, layer, classifier.spec) as found, torch.enable_grad():
        outputs = classifier.outputs(images)
    maps = found[-1]
    try:
        (gradients,) = torch.autograd.grad(outputs[0, target], maps)
    except RuntimeError:  # the way does not lead through this tensor
        return None
    weights = gradients[:1].mean((2, 3), keepdim=True)
    weighted = (weights * maps[:1].detach()).sum(1, keepdim=True).clamp_min(0)
    large = functional.interpolate(weighted, image.shape[:2], mode="bilinear", align_corners=False)
    return layer, np.asarray(large[0, 0].cpu().numpy(), np.float64)


def _last_with_a_map(classifier: Classifier, network: nn.Module, image: NDArray[np.uint8]) -> str | None:
    """The name of the layer that puts out a map, (n, channels, height, width) with more than one place, and is called last."""
    seen: list[str] = []

    def hook(name: str) -> Any:
        def note(module: nn.Module, given: Any, output: Any) -> None:
            if isinstance(output, Tensor) and output.ndim == 4 and output.shape[2] * output.shape[3] > 1:
                seen.append(name)

        return note

    leaves = [
        (name, module) for name, module in network.named_modules() if name and not list(module.children())
    ]
    handles = [module.register_forward_hook(hook(name)) for name, module in leaves]
    try:
        classifier.outputs(_floats(image))
    except FoolingError:
        return None
    finally:
        for handle in handles:
            handle.remove()
    return seen[-1] if seen else None


def _floats(image: NDArray[np.uint8]) -> Tensor:
    return torch.from_numpy(image.astype(np.float32) / 255).permute(2, 0, 1)[None]
