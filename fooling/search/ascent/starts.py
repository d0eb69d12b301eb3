"""Where climbs begin: the classifier's mean plus unit noise in grey levels (the released code's `mean_plus`),
mid-grey, uniform noise, or images of the user's."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch.nn import functional

from cppn.keys import Keys
from fooling.classifiers import Classifier, Spec
from fooling.datasets.images import visible
from fooling.errors import InvalidError, NotFoundError
from fooling.search.settings import GradientAscentSettings

START = 16  # the purpose of its draws
_GREY = 0.5
_MODES = {"L": 1, "RGB": 3}


def begin(
    settings: GradientAscentSettings,
    keys: Keys,
    mean: NDArray[np.float32],
    given: NDArray[np.uint8] | None,
    shape: tuple[int, int, int],
) -> NDArray[np.float32]:
    """The images that climbs start from.

    Args:
        keys: of the climbs, of which `starts` consecutive ones belong to a class.
        mean: (H, W, C) or (1, 1, C) float32.
        given: (m, H, W, C) uint8, the user's images, where the settings say so: the i-th start of each class is
            image i, and the first comes again after the last.
        shape: (H, W, C).

    Returns:
        (n, H, W, C) float32 in [0, 1].
    """
    starts = np.empty((len(keys), *shape), np.float32)
    for row, child in enumerate(keys.children.tolist()):
        rng = keys.generator(row, START)
        if settings.start == "uniform":
            starts[row] = rng.random(shape, np.float32)
            continue
        if given is not None:
            starts[row] = given[child % (settings.starts or 1) % len(given)] / np.float32(255)
        else:
            starts[row] = mean if settings.start == "mean" else _GREY
        if settings.noise:
            starts[row] += rng.standard_normal(shape, np.float32) * np.float32(settings.noise / 255)
    return starts.clip(0.0, 1.0, out=starts)


def mean_of(classifier: Classifier) -> NDArray[np.float32]:
    """The image that the classifier's preprocessing subtracts: (H, W, C) float32, or (1, 1, C) where it is one
    colour; in [0, 1], in the images' own channels. Mid-grey where nothing is subtracted."""
    spec, steps = classifier.spec, classifier.spec.preprocessing
    if classifier.mean_image is not None:
        values = torch.from_numpy(classifier.mean_image.astype(np.float32))[None] / steps.scale
        values = functional.interpolate(values, spec.image_shape[:2], mode="bilinear", antialias=True)
        mean = values[0].permute(1, 2, 0).numpy()
    elif steps.mean is not None:
        mean = np.array(steps.mean, np.float32).reshape(1, 1, -1) / np.float32(steps.scale)
    else:
        return np.full((1, 1, spec.channels), _GREY, np.float32)
    return np.ascontiguousarray(_in_image_channels(mean, spec).clip(0.0, 1.0), np.float32)


def _in_image_channels(mean: NDArray[np.float32], spec: Spec) -> NDArray[np.float32]:
    """A mean of the network's input channels, as one of the image's."""
    if spec.preprocessing.channels == "bgr" and spec.colour == "rgb":
        return mean[..., ::-1]
    if mean.shape[-1] == spec.channels:
        return mean
    return mean.mean(-1, keepdims=True) if spec.channels == 1 else mean.repeat(3, -1)


def read(path: Path, shape: tuple[int, int, int]) -> NDArray[np.uint8]:
    """The images of a PNG, or of all PNGs in a folder, by name.

    Args:
        shape: (H, W, C) that each has to have.

    Returns:
        (m, H, W, C) uint8.

    Raises:
        NotFoundError: no such file or folder, or no PNG in it.
        InvalidError: not a PNG, or one of another size or other channels.
    """
    files = visible(path.glob("*.png")) if path.is_dir() else [path]
    if not files:
        raise NotFoundError(f"search.images: expected PNG files in {path}, found none")
    return np.stack([_read_one(file, shape) for file in files])


def _read_one(path: Path, shape: tuple[int, int, int]) -> NDArray[np.uint8]:
    height, width, channels = shape
    try:
        with Image.open(path, formats=["PNG"]) as image:
            found = (image.height, image.width, _MODES.get(image.mode))
            if found != shape:
                kind = "grey (mode L)" if channels == 1 else "RGB"
                raise InvalidError(
                    f"search.images: {path}: expected a PNG of {height} x {width} pixels (height x width), "
                    f"{kind}, as the classifier's images are, found {image.height} x {image.width}, mode "
                    f"{image.mode}"
                )
            return np.asarray(image, np.uint8).reshape(shape)
    except FileNotFoundError:
        raise NotFoundError(f"search.images: no file or folder {path}") from None
    except (OSError, SyntaxError) as error:
        raise InvalidError(
            f"search.images: {path}: expected a PNG, found what can't be read: {error}"
        ) from None
