"""Rendering: from CPPN genotypes to the 8-bit images that are classified (Nguyen 2015, section 2).

Each pixel's position is fed into the network, whose outputs are the colour of the pixel.
"""

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
        size: the side of a square image, or (height, width), in pixels.
        coordinates: whether the inputs x and y run from -1 to 1 along the shorter side ("normalised") or
            count pixels ("raw", as released: the image then depends on the size); see `inputs`.
        colour: what the outputs mean: "grey" (1 output), or "hls", "hsv" or "rgb" (3 outputs).
        quantisation: "rounded" or "released"; see `cppn.rendering.colour`.
        channels: how many channels an image has, 1 or 3; "grey" with 3 gives three equal channels.

    Raises:
        ValueError: a value that is none of these.
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
        """The height of an image in pixels."""
        return self.size if isinstance(self.size, int) else self.size[0]

    @property
    def width(self) -> int:
        """The width of an image in pixels."""
        return self.size if isinstance(self.size, int) else self.size[1]

    @property
    def pixels(self) -> int:
        """How many pixels an image has."""
        return self.height * self.width

    @property
    def inputs(self) -> NDArray[np.float32]:
        """(3, height, width) float32, read-only: the inputs of the network at each pixel; see `inputs`."""
        return inputs(self.height, self.width, self.coordinates)

    @property
    def outputs(self) -> int:
        """How many outputs a genotype must have: 1 or 3."""
        return colours.numbers_of(self.colour)


@lru_cache(maxsize=4)
def inputs(height: int, width: int, coordinates: str) -> NDArray[np.float32]:
    """The inputs of the network at each pixel, (3, height, width) float32, read-only: x (by column), y (by
    row) and d.

    "raw" x and y count pixels from 0. "normalised" ones run from -1 to 1 along the shorter side s and from
    -longer / s to longer / s along the longer one, so that a circle stays a circle in images of any shape,
    and a genotype gives the same picture at every size of one aspect ratio. d is the distance from the centre
    in normalised coordinates, always. Where a side has one pixel, its coordinate is 0, the centre.
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
    """(side,) float32: the coordinates of the pixels along a side, from -end to end."""
    pixels = np.arange(side, dtype=np.float32)
    # A correctly rounded quotient of integers makes the inputs exactly symmetric about the centre.
    return (2 * pixels - np.float32(side - 1)) / np.float32(max(side - 1, 1)) * np.float32(end)


def render(population: Population, raster: Raster) -> NDArray[np.uint8]:
    """The images of a population: (N, height, width, channels) uint8.

    An image depends on its genotype and the raster alone, to the bit. Several threads may render at once.

    Raises:
        ValueError: as for `check`.
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


def check(population: Population, raster: Raster) -> None:
    """Refuse a population that can't be drawn on a raster: kernels check nothing.

    Raises:
        ValueError: the genotypes do not have the number of outputs that the colour needs, or have an
        activation function
            that is not in `cppn.activations`.
    """
    if population.outputs != raster.outputs:
        raise ValueError(
            f"expected genotypes of {raster.outputs} outputs for the colour {raster.colour}, "
            f"found {population.outputs}"
        )
    if (highest := population.activations.max(initial=0)) >= len(activations.NAMES):
        raise ValueError(f"expected activation functions 0 to {len(activations.NAMES) - 1}, found {highest}")
