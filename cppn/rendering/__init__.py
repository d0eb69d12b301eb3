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
        size: images are square, with so many pixels a side.
        coordinates: whether the inputs x and y run from -1 to 1 ("normalised") or count pixels ("raw", as
            released: the image then depends on the size).
        colour: what the outputs mean: "grey" (1 output), "hls", "hsv" or "rgb" (3 outputs).
        quantisation: "rounded" or "released": see `cppn.rendering.colour`.
        channels: 1, or 3: for "grey", three that are alike.

    Raises:
        ValueError: an attribute is none of these.
    """

    size: int
    coordinates: Literal["normalised", "raw"] = "normalised"
    colour: Literal["grey", "hls", "hsv", "rgb"] = "grey"
    quantisation: Literal["rounded", "released"] = "rounded"
    channels: Literal[1, 3] = 1

    def __post_init__(self) -> None:
        if self.size < 1:
            raise ValueError(f"expected a size of at least 1 pixel, found {self.size}")
        if self.coordinates not in COORDINATES:
            raise ValueError(f"expected coordinates of {', '.join(COORDINATES)}, found {self.coordinates!r}")
        colours.style_of(self.colour, self.quantisation)
        colours.check_channels(self.colour, self.channels)

    @property
    def outputs(self) -> int:
        """The outputs that a genotype must have: 1 or 3."""
        return colours.numbers_of(self.colour)


@lru_cache(maxsize=4)
def inputs(size: int, coordinates: str) -> NDArray[np.float32]:
    """The inputs of each pixel, (3, size, size) float32, read-only: x of its column, y of its row, and d.

    Normalised, x and y run from -1 to 1; raw, from 0 to size - 1. d is the distance from the centre, always
    of the normalised ones. The only pixel of size 1 is the centre.
    """
    pixels = np.arange(size, dtype=np.float32)
    # A correctly rounded quotient of integers: the inputs are exactly symmetric about the centre.
    normalised = (2 * pixels - np.float32(size - 1)) / np.float32(max(size - 1, 1))
    line = normalised if coordinates == "normalised" else pixels
    squares = normalised * normalised
    planes = np.empty((PIXEL_INPUTS, size, size), np.float32)
    planes[0], planes[1] = line[None, :], line[:, None]
    planes[2] = np.sqrt(squares[None, :] + squares[:, None])
    planes.flags.writeable = False
    return planes


def render(population: Population, raster: Raster) -> NDArray[np.uint8]:
    """The images of a population: (N, size, size, channels) uint8.

    An image depends on its genotype and the raster alone, to the bit. May be called from several threads.

    Raises:
        ValueError: the genotypes have another number of outputs than the raster's colour needs, or an
            activation function that is not in `cppn.activations`.
    """
    check(population, raster)
    out = np.empty((len(population), raster.size**2 * raster.channels), np.uint8)
    kernel.render(
        population.packed(),
        population.outputs,
        inputs(raster.size, raster.coordinates).reshape(PIXEL_INPUTS, -1),
        colours.style_of(raster.colour, raster.quantisation),
        raster.channels,
        out,
    )
    return out.reshape(len(population), raster.size, raster.size, raster.channels)


def values(population: Population, raster: Raster) -> NDArray[np.float32]:
    """What the networks put out, before it becomes colour: (N, size, size, outputs) float32.

    Raises:
        ValueError: as `render`.
    """
    check(population, raster)
    out = np.empty((len(population), raster.size**2, raster.outputs), np.float32)
    kernel.evaluate(
        population.packed(),
        population.outputs,
        inputs(raster.size, raster.coordinates).reshape(PIXEL_INPUTS, -1),
        out,
    )
    return out.reshape(len(population), raster.size, raster.size, raster.outputs)


def check(population: Population, raster: Raster) -> None:
    """Raises ValueError unless the population can be drawn on the raster."""
    if population.outputs != raster.outputs:
        raise ValueError(
            f"expected genotypes of {raster.outputs} outputs for the colour {raster.colour}, "
            f"found {population.outputs}"
        )
    if (highest := population.activations.max(initial=0)) >= len(activations.NAMES):
        raise ValueError(f"expected activation functions 0 to {len(activations.NAMES) - 1}, found {highest}")
