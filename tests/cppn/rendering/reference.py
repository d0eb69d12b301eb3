"""The reference renderer: what an image is by definition, in plain numpy; the kernel has to give the same
bits.

`values` is the reference for the outputs of networks, `kernel_values` has them from the kernel.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cppn.arithmetic import sine
from cppn.jit import kernel
from cppn.population import INPUTS, Packed, Population
from cppn.rendering import Raster, check, colour
from cppn.rendering.kernel import TILE, _draw, _new_tile, _set_inputs
from cppn.rendering.nodes import gaussian, linear, relu, sigmoid, tanh
from cppn.rendering.program import PIXEL_INPUTS, compile_population

Array = NDArray[np.float32]
_FUNCTIONS = (sine, sigmoid, gaussian, linear, tanh, relu)  # in the order of `cppn.activations.NAMES`


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
    """The outputs of the networks, before they become colour: (N, height, width, outputs) float32.

    Raises:
        ValueError: as for `cppn.rendering.check`.
    """
    check(population, raster)
    images = np.empty((len(population), raster.height, raster.width, population.outputs), np.float32)
    with np.errstate(all="ignore"):
        for row in range(len(population)):
            outputs = _outputs(population.take([row]), raster.inputs)
            images[row] = np.stack([np.broadcast_to(v, images.shape[1:3]) for v in outputs], axis=-1)
    return images


def _outputs(genotype: Population, planes: Array) -> list[Array]:
    """The outputs of one genotype, each of shape (height, width), or () where it is the same at every
    pixel."""
    known: dict[int, Array] = dict(enumerate([*planes, np.ones((), np.float32)]))
    waiting = list(range(INPUTS, INPUTS + len(genotype.activations)))
    while waiting:
        for node in waiting:
            edges = np.flatnonzero(genotype.targets == node)
            sources = genotype.sources[edges].tolist()
            if known.keys() >= set(sources):
                potential = _potential([known[source] for source in sources], genotype.weights[edges])
                known[node] = _FUNCTIONS[genotype.activations[node - INPUTS]](potential)
        waiting = [node for node in waiting if node not in known]
    return [known[INPUTS + output] for output in range(genotype.outputs)]


def _potential(sources: list[Array], weights: Array) -> Array:
    total = np.zeros((), np.float32)
    # Constant sources, which have no axes, come first. Sorting is stable: each kind stays in the order of the
    # edges.
    for k in sorted(range(len(sources)), key=lambda k: sources[k].ndim):
        total = total + weights[k] * sources[k]
    return total


def kernel_values(population: Population, raster: Raster) -> Array:
    """The same outputs as the kernel computes them; arguments and errors as for `values`."""
    check(population, raster)
    out = np.empty((len(population), raster.pixels, raster.outputs), np.float32)
    _evaluate(population.packed(), population.outputs, raster.inputs.reshape(PIXEL_INPUTS, -1), out)
    return out.reshape(len(population), raster.height, raster.width, raster.outputs)


@kernel
def _evaluate(genotypes: Packed, outputs: int, inputs: Array, out: Array) -> None:
    """Write the outputs of N genotypes to `out`, (N, pixels, outputs) float32."""
    programs, tile = compile_population(genotypes, outputs), _new_tile(genotypes)
    for start in range(0, inputs.shape[1], TILE):
        count = min(TILE, inputs.shape[1] - start)
        _set_inputs(inputs, start, count, tile)
        for g in range(len(out)):
            _draw(g, programs, count, tile)
            for k in range(outputs):
                for i in range(count):
                    out[g, start + i, k] = tile[programs.results[g * outputs + k], i]
