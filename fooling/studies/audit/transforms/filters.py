"""The transforms: 8-bit images in, 8-bit images out, each image by itself and always the same.

Those that are random where they are deployed draw from a hash of the image here. So the same image is always changed
alike, as a service that caches its answers would do, and a search through them can be repeated.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Images = NDArray[np.uint8]
_WHITE = 255
_SMALLEST = 0.8  # side of the shrunken image in "resize-pad", as a share of the whole


@dataclass(frozen=True)
class Transform:
    """A filter in front of a classifier.

    Attributes:
        name: like "jpeg-75".
        text: what it does, in a line for people, with its source.
        parameters: its numbers.
        apply: from (n, H, W, C) uint8 to new images of the same shape and type.
    """

    name: str
    text: str
    apply: Callable[[Images], Images]
    parameters: dict[str, float] = field(default_factory=dict)


def halftone(images: Images) -> Images:
    """Floyd & Steinberg's error diffusion (1976) of each channel to black and white, as Pillow does it: from left to
    right in every row, with integers, and white above 128. It is the defence of Huang, Liao & Huang (2020), whose
    operator is not published in detail."""
    found = np.empty_like(images)
    for image, out in zip(images, found, strict=True):
        for channel in range(image.shape[2]):
            plane = Image.fromarray(np.ascontiguousarray(image[:, :, channel]))
            out[:, :, channel] = np.where(np.asarray(plane.convert("1")), _WHITE, 0)
    return found


def jpeg(images: Images, quality: int) -> Images:
    """Compressed as JPEG with Pillow's other settings, and read again (Dziugaite, Ghahramani & Roy 2016)."""
    return np.stack([_recompressed(image, quality) for image in images]) if len(images) else images.copy()


def bit_depth(images: Images, bits: int) -> Images:
    """Rounded to the nearest of 2^bits levels (feature squeezing: Xu, Evans & Qi 2018, section 3.1)."""
    steps = (1 << bits) - 1
    level = (np.arange(256) * steps + 127) // 255  # round(value / 255 * steps), in integers
    table = ((level * 255 + steps // 2) // steps).astype(np.uint8)
    return table[images]


def median(images: Images, side: int) -> Images:
    """The median of the side x side pixels around each, of each channel, edges repeated (Xu, Evans & Qi 2018, section
    3.2)."""
    from scipy.ndimage import median_filter

    found: Images = median_filter(images, size=(1, side, side, 1), mode="nearest")
    return found


def blur(images: Images, sigma: float) -> Images:
    """Gaussian blur of each channel, edges repeated, cut at four standard deviations."""
    from scipy.ndimage import gaussian_filter

    smooth = gaussian_filter(images.astype(np.float64), sigma=(0, sigma, sigma, 0), mode="nearest")
    return np.rint(smooth).astype(np.uint8)


def resize_pad(images: Images) -> Images:
    """Shrunk to between 80 and 100 % of its side (bilinear), and put somewhere on black (Xie et al. 2018, who enlarge
    and pad; a network with a fixed input can only be given less). Size and place are drawn from a hash of the image."""
    found = np.zeros_like(images)
    for image, out, random in zip(images, found, _randoms(images), strict=True):
        height, width = image.shape[:2]
        share = random.uniform(_SMALLEST, 1.0)
        rows, columns = max(1, round(height * share)), max(1, round(width * share))
        top, left = random.integers(0, height - rows + 1), random.integers(0, width - columns + 1)
        for channel in range(image.shape[2]):
            plane = Image.fromarray(np.ascontiguousarray(image[:, :, channel]))
            small = plane.resize((columns, rows), Image.Resampling.BILINEAR)
            out[top : top + rows, left : left + columns, channel] = np.asarray(small)
    return found


def noise(images: Images, sigma: float) -> Images:
    """Normal noise with a standard deviation of sigma grey levels, drawn from a hash of the image, clipped."""
    found = np.empty_like(images)
    for image, out, random in zip(images, found, _randoms(images), strict=True):
        noisy = image + sigma * random.standard_normal(image.shape, dtype=np.float32)
        out[:] = np.rint(noisy).clip(0, 255)
    return found


def noisy_copies(images: Images, sigmas: Sequence[float]) -> Images:
    """(n, len(sigmas), H, W, C) uint8: copies of each image with noise as in `noise`, of each of these strengths; 0 gives
    the image itself."""
    scales = np.asarray(sigmas, np.float32)[:, None, None, None]
    found = np.empty((len(images), len(sigmas), *images.shape[1:]), np.uint8)
    for image, out, random in zip(images, found, _randoms(images), strict=True):
        drawn = scales * random.standard_normal(out.shape, dtype=np.float32)
        out[:] = np.rint(image + drawn).clip(0, 255)
    return found


TRANSFORMS: tuple[Transform, ...] = (
    Transform("halftone", "Floyd-Steinberg halftone, 1 bit a channel (Huang, Liao & Huang 2020)", halftone),
    *(
        Transform(
            f"jpeg-{quality}",
            f"JPEG of quality {quality}",
            partial(jpeg, quality=quality),
            {"quality": quality},
        )
        for quality in (75, 50)
    ),
    *(
        Transform(
            f"bits-{bits}",
            f"{bits} bits a channel (Xu, Evans & Qi 2018)",
            partial(bit_depth, bits=bits),
            {"bits": bits},
        )
        for bits in (5, 4, 3)
    ),
    Transform(
        "median-3",
        "median of 3 x 3 pixels (Xu, Evans & Qi 2018)",
        partial(median, side=3),
        {"side": 3},
    ),
    Transform("blur-1", "Gaussian blur, sigma 1 pixel", partial(blur, sigma=1.0), {"sigma": 1.0}),
    Transform(
        "resize-pad",
        "shrunk to 80 to 100 %, at a random place on black (after Xie et al. 2018)",
        resize_pad,
        {"smallest": _SMALLEST},
    ),
    Transform(
        "noise-8",
        "normal noise, sigma 8 grey levels",
        partial(noise, sigma=8.0),
        {"sigma": 8.0},
    ),
)


def named(name: str) -> Transform:
    """The transform of a name."""
    return next(transform for transform in TRANSFORMS if transform.name == name)


def _recompressed(image: Images, quality: int) -> Images:
    file = io.BytesIO()
    grey = image.shape[2] == 1
    Image.fromarray(image[:, :, 0] if grey else image).save(file, "JPEG", quality=quality)
    read = np.asarray(Image.open(file))
    return read[:, :, None] if grey else read


def _randoms(images: Images) -> Iterator[np.random.Generator]:
    """Random numbers for each image, the same whenever it comes."""
    for image in images:
        key = hashlib.blake2b(np.ascontiguousarray(image).tobytes(), digest_size=16).digest()
        yield np.random.Generator(np.random.Philox(key=int.from_bytes(key, "little")))
