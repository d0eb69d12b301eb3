"""The reference renderer: what an image is by definition, in plain numpy. The kernel gives the same bits."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cppn.population import INPUTS, Population
from cppn.rendering import Raster, check, colour
from cppn.rendering.nodes import FUNCTIONS

Array = NDArray[np.float32]


def render(population: Population, raster: Raster) -> NDArray[np.uint8]:
    """As `cppn.rendering.render`."""
    style = colour.style_of(raster.colour, raster.quantisation)
    planes = list(np.moveaxis(values(population, raster), -1, 0))
    units = [style.hue, style.unit, style.unit]
    for k, plane in enumerate(planes):
        folded = colour.fold(plane)
        planes[k] = (colour.cut(folded) if style.cut else folded) * units[k]
    if raster.colour == "hls":
        planes = list(colour.hls_to_rgb(*planes))
    elif raster.colour == "hsv":
        planes = list(colour.hsv_to_rgb(*planes))
    image = np.stack([colour.to_byte(plane, style) for plane in planes], axis=-1)
    return np.repeat(image, raster.channels // len(planes), axis=-1)


def values(population: Population, raster: Raster) -> Array:
    """As `cppn.rendering.values`."""
    check(population, raster)
    images = np.empty((len(population), raster.height, raster.width, population.outputs), np.float32)
    with np.errstate(all="ignore"):
        for row in range(len(population)):
            outputs = _outputs(population.take([row]), raster.inputs)
            images[row] = np.stack([np.broadcast_to(v, images.shape[1:3]) for v in outputs], axis=-1)
    return images


def _outputs(genotype: Population, planes: Array) -> list[Array]:
    """The outputs of one genotype: (height, width) each, or () where no pixel changes it."""
    known: dict[int, Array] = dict(enumerate([*planes, np.ones((), np.float32)]))
    waiting = list(range(INPUTS, INPUTS + len(genotype.activations)))
    while waiting:
        for node in waiting:
            edges = np.flatnonzero(genotype.targets == node)
            sources = genotype.sources[edges].tolist()
            if known.keys() >= set(sources):
                potential = _potential([known[source] for source in sources], genotype.weights[edges])
                known[node] = FUNCTIONS[genotype.activations[node - INPUTS]](potential)
        waiting = [node for node in waiting if node not in known]
    return [known[INPUTS + output] for output in range(genotype.outputs)]


def _potential(sources: list[Array], weights: Array) -> Array:
    total = np.zeros((), np.float32)
    # Sorting is stable: what no pixel changes (it has no axes) comes first, each kind in the edges' order.
    for k in sorted(range(len(sources)), key=lambda k: sources[k].ndim):
        total = total + weights[k] * sources[k]
    return total
