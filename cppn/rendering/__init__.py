"""Rendering: from CPPN genotypes to the 8-bit images that are classified (Nguyen 2015, section 2)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from cppn import activations
from cppn.population import Population
from cppn.rendering import colour as colours
from cppn.rendering import kernel
from cppn.rendering.program import PIXEL_INPUTS

COORDINATES = ("normalised", "raw")


@dataclass(frozen=True)
class Raster:
    """How genotypes become images.

    Attributes:
        size: of the images in pixels: the side of a square, or (height, width).
        coordinates: whether the inputs x and y run from -1 to 1 along the shorter side ("normalised"), or
            count pixels ("raw", as released: the image then depends on the size); see `inputs`.
        colour: what the outputs mean: "grey" (1 output), "hls", "hsv" or "rgb" (3 outputs).
        quantisation: "rounded" or "released": see `cppn.rendering.colour`.
        channels: 1, or 3: for "grey", three that are alike.

    Raises:
        ValueError: an attribute is none of these.
    """

    size: int | tuple[int, int]
    coordinates: Literal["normalised", "raw"] = "normalised"
    colour: Literal["grey", "hls", "hsv", "rgb"] = "grey"
    quantisation: Literal["rounded", "released"] = "rounded"
    channels: Literal[1, 3] = 1

    def __post_init__(self) -> None:
        if min(self.height, self.width) < 1:
            raise ValueError(f"expected a size of at least 1 pixel, found {self.size}")
        if self.coordinates not in COORDINATES:
            raise ValueError(f"expected coordinates of {', '.join(COORDINATES)}, found {self.coordinates!r}")
        colours.style_of(self.colour, self.quantisation)
        colours.check_channels(self.colour, self.channels)

    @property
    def height(self) -> int:
        """In pixels."""
        return self.size if isinstance(self.size, int) else self.size[0]

    @property
    def width(self) -> int:
        """In pixels."""
        return self.size if isinstance(self.size, int) else self.size[1]

    @property
    def pixels(self) -> int:
        """Of an image."""
        return self.height * self.width

    @property
    def inputs(self) -> NDArray[np.float32]:
        """(3, height, width) float32, read-only: the inputs of each pixel."""
        return inputs(self.height, self.width, self.coordinates)

    @property
    def outputs(self) -> int:
        """The outputs that a genotype must have: 1 or 3."""
        return colours.numbers_of(self.colour)


@lru_cache(maxsize=4)
def inputs(height: int, width: int, coordinates: str) -> NDArray[np.float32]:
    """The inputs of each pixel, (3, height, width) float32, read-only: x of its column, y of its row, and d.

    Raw, x and y count pixels from 0. Normalised, they run from -1 to 1 along the shorter side s, and from
    -longer / s to longer / s along the other one: a circle is one in images of any shape, and an image is the
    same picture at every size of its aspect ratio. d is the distance from the centre, always of the normalised
    ones. The only pixel of a side of 1 is its centre, 0.
    """
    short = min(height, width)
    x, y = _normalised(width, width / short), _normalised(height, height / short)
    planes = np.empty((PIXEL_INPUTS, height, width), np.float32)
    if coordinates == "normalised":
        planes[0], planes[1] = x[None, :], y[:, None]
    else:
        planes[0], planes[1] = np.arange(width)[None, :], np.arange(height)[:, None]
    planes[2] = np.sqrt((x * x)[None, :] + (y * y)[:, None])
    planes.flags.writeable = False
    return planes


def _normalised(side: int, end: float) -> NDArray[np.float32]:
    """The pixels of a side, from -end to end."""
    pixels = np.arange(side, dtype=np.float32)
    # A correctly rounded quotient of integers: the inputs are exactly symmetric about the centre.
    return (2 * pixels - np.float32(side - 1)) / np.float32(max(side - 1, 1)) * np.float32(end)


def render(population: Population, raster: Raster) -> NDArray[np.uint8]:
    """The images of a population: (N, height, width, channels) uint8.

    An image depends on its genotype and the raster alone, to the bit. May be called from several threads.

    Raises:
        ValueError: the genotypes have another number of outputs than the raster's colour needs, or an
            activation function that is not in `cppn.activations`.
    """
    check(population, raster)
    out = np.empty((len(population), raster.pixels * raster.channels), np.uint8)
    kernel.render(
        population.packed(),
        population.outputs,
        raster.inputs.reshape(PIXEL_INPUTS, -1),
        colours.style_of(raster.colour, raster.quantisation),
        raster.channels,
        out,
    )
    return out.reshape(len(population), raster.height, raster.width, raster.channels)


def values(population: Population, raster: Raster) -> NDArray[np.float32]:
    """What the networks put out, before it becomes colour: (N, height, width, outputs) float32.

    Raises:
        ValueError: as `render`.
    """
    check(population, raster)
    out = np.empty((len(population), raster.pixels, raster.outputs), np.float32)
    kernel.evaluate(
        population.packed(),
        population.outputs,
        raster.inputs.reshape(PIXEL_INPUTS, -1),
        out,
    )
    return out.reshape(len(population), raster.height, raster.width, raster.outputs)


def check(population: Population, raster: Raster) -> None:
    """Raises ValueError unless the population can be drawn on the raster."""
    if population.outputs != raster.outputs:
        raise ValueError(
            f"expected genotypes of {raster.outputs} outputs for the colour {raster.colour}, "
            f"found {population.outputs}"
        )
    if (highest := population.activations.max(initial=0)) >= len(activations.NAMES):
        raise ValueError(f"expected activation functions 0 to {len(activations.NAMES) - 1}, found {highest}")
