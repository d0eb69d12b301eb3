"""Preprocessing as it is done: the data of `spec.Preprocessing` as differentiable torch code.

With antialiasing, the resize is that of Pillow and torchvision (a filter widened by the shrink factor,
half-pixel centres), in float. It equals torchvision's of tensors. It is within 3e-5 of Pillow's of float
images, which places its filters in double precision. Pillow's of 8-bit images also rounds and clips to whole
levels after each of its two passes: that differs by up to one level (bilinear), and at hard edges by up to
about ten (bicubic; half a level on average).
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from fooling.classifiers.spec import Crop, Preprocessing, Resize, Spec
from fooling.errors import InvalidError
from fooling.sizes import sides

# ITU-R 601 luma, the weights of Pillow's mode L.
_LUMA = (0.299, 0.587, 0.114)


class Preprocess(nn.Module):
    """(n, channels, height, width) float32 in [0, 1] to (n * views, *input shape of the spec), or to
    another layout and number type where the spec names them.

    The views of an image lie side by side: image i has the rows i * views to (i + 1) * views - 1.

    Attributes:
        idle: no step is named: the output is the input.
    """

    luma: Tensor | None
    mean: Tensor | None
    std: Tensor | None

    def __init__(self, spec: Spec, mean_image: NDArray[np.float32] | None = None) -> None:
        """
        Args:
            mean_image: (input channels, height, width) float32, what `mean_image` of the spec names.

        Raises:
            InvalidError: a mean image of the wrong shape, or named and not given.
        """
        super().__init__()
        steps = spec.preprocessing
        self.idle = steps == Preprocessing()
        self.resize, self.crop, self.scale = steps.resize, steps.crop, steps.scale
        self.images, self.inputs = spec.colour, steps.channels or spec.colour
        self.channels_last = steps.layout == "nhwc"
        self.dtype = None if steps.dtype == "float32" else getattr(torch, steps.dtype)
        mean = None if steps.mean is None else _per_channel(steps.mean)
        if steps.mean_image is not None:
            mean = _centre_of_mean(mean_image, spec)
        mixes = (self.images, self.inputs) == ("rgb", "grey")
        self.register_buffer("luma", _per_channel(_LUMA) if mixes else None)
        self.register_buffer("mean", mean)
        self.register_buffer("std", None if steps.std is None else _per_channel(steps.std))

    def forward(self, images: Tensor) -> Tensor:
        """Apply the steps that are named, in their order."""
        if self.resize is not None:
            images = resized(images, self.resize)
        if self.crop is not None:
            images = _cropped(images, self.crop)
        images = self._channels(images)
        if self.scale != 1.0:
            images = images * self.scale
        if self.mean is not None:
            images = images - self.mean
        if self.std is not None:
            images = images / self.std
        if self.channels_last:
            images = images.permute(0, 2, 3, 1)
        if self.dtype == torch.uint8:
            images = images.round().clamp(0, 255)
        return images if self.dtype is None else images.to(self.dtype)

    def _channels(self, images: Tensor) -> Tensor:
        if self.inputs == self.images:
            return images
        if self.luma is not None:
            return (images * self.luma).sum(1, keepdim=True)
        if self.images == "grey":
            return images.expand(-1, 3, -1, -1)
        return images.flip(1)


def _per_channel(values: tuple[float, ...]) -> Tensor:
    return torch.tensor(values, dtype=torch.float32).view(1, -1, 1, 1)


def resized(images: Tensor, step: Resize) -> Tensor:
    """(n, channels, height, width) images in [0, 1] at another size, in [0, 1]."""
    size = sides(step.size)
    if images.shape[2:] == size:
        return images
    images = functional.interpolate(
        images, size, mode=step.filter, align_corners=False, antialias=step.antialias
    )
    # Bicubic overshoots at edges, which images of 8 bits cannot hold; bilinear may by rounding.
    return images.clamp(0.0, 1.0)


def _cropped(images: Tensor, step: Crop) -> Tensor:
    n, channels, *whole = images.shape
    height, width = sides(step.size)
    bottom, right = whole[0] - height, whole[1] - width
    # torchvision's centre: round half to even.
    centre = (round(bottom / 2), round(right / 2))

    def cut(top: int, left: int) -> Tensor:
        return images[:, :, top : top + height, left : left + width]

    if step.views == "centre":
        return cut(*centre)
    five = torch.stack([cut(0, 0), cut(0, right), cut(bottom, 0), cut(bottom, right), cut(*centre)], 1)
    ten = torch.cat([five, five.flip(-1)], 1)
    return ten.view(n * 10, channels, height, width)


def _centre_of_mean(mean_image: NDArray[np.float32] | None, spec: Spec) -> Tensor:
    """(1, *input shape): the centre of the mean image, the same for every view, as in the released
    code (Nguyen 2015)."""
    if mean_image is None:
        raise InvalidError(
            f"{spec.name}: expected the array of mean image {spec.preprocessing.mean_image!r}, found none"
        )
    channels, height, width = spec.input_shape
    shape = mean_image.shape
    if len(shape) != 3 or shape[0] != channels or shape[1] < height or shape[2] < width:
        raise InvalidError(
            f"{spec.name}: expected a mean image of shape ({channels}, h, w), h at least {height} and w at "
            f"least {width}, found {shape}"
        )
    top, left = round((shape[1] - height) / 2), round((shape[2] - width) / 2)
    part = mean_image[:, top : top + height, left : left + width]
    return torch.from_numpy(np.array(part, np.float32))[None]
