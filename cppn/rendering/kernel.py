"""The renderer for CPUs, at the speed of their vector units.

An image is cut into tiles, so small that what a network computes on a tile stays in the second cache of the
processor. Each loop runs over a whole tile and does one thing, so that LLVM vectorises it. Calls share
nothing: several threads may render at once.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cppn.jit import jitable, kernel
from cppn.population import INPUTS, Packed
from cppn.rendering.colour import Style, paint
from cppn.rendering.nodes import activate
from cppn.rendering.program import PIXEL_INPUTS, Programs, compile_population, longest

TILE = 2352  # pixels: 3 * 28 * 28. Smaller tiles cost up to half of the speed, larger ones gain nothing.
_LANES = 16  # float32 numbers in the widest registers; TILE is a multiple of this


@jitable
def _new_tile(genotypes: Packed) -> NDArray[np.float32]:
    """Uninitialised (slots, TILE) float32, with slots enough for each of these genotypes."""
    return np.empty((INPUTS + longest(genotypes.node_offsets), TILE), np.float32)


@jitable
def _set_inputs(inputs: NDArray[np.float32], start: int, count: int, tile: NDArray[np.float32]) -> None:
    for k in range(PIXEL_INPUTS):
        for i in range(count):
            tile[k, i] = inputs[k, start + i]


@jitable
def _draw(g: int, programs: Programs, count: int, tile: NDArray[np.float32]) -> None:
    """Run the program of genotype `g` on the first `count` pixels of a tile. A few more pixels are computed
    too, so that loops end at a multiple of the lanes and need no code for a remainder."""
    count = (count + _LANES - 1) // _LANES * _LANES
    slot = PIXEL_INPUTS
    for step in range(programs.steps[g], programs.steps[g + 1]):
        _evaluate(step, programs, tile, tile[slot], count)
        slot += 1


@jitable
def _evaluate(
    step: int, programs: Programs, tile: NDArray[np.float32], node: NDArray[np.float32], count: int
) -> None:
    start, slots, weights = programs.starts[step], programs.slots, programs.weights
    edge = programs.edges[step]
    w0, source0 = weights[edge], tile[slots[edge]]
    w1, source1 = weights[edge + 1], tile[slots[edge + 1]]
    for i in range(count):
        node[i] = (start + w0 * source0[i]) + w1 * source1[i]
    for edge in range(programs.edges[step] + 2, programs.edges[step + 1], 2):
        w0, source0 = weights[edge], tile[slots[edge]]
        w1, source1 = weights[edge + 1], tile[slots[edge + 1]]
        for i in range(count):
            node[i] = (node[i] + w0 * source0[i]) + w1 * source1[i]
    activate(programs.functions[step], node, count)


@kernel
def render(
    genotypes: Packed,
    outputs: int,
    inputs: NDArray[np.float32],
    style: Style,
    channels: int,
    out: NDArray[np.uint8],
) -> None:
    """Draw every genotype into its row of `out`.

    Args:
        genotypes: N genotypes.
        outputs: how many outputs each genotype has, 1 or 3.
        inputs: (PIXEL_INPUTS, pixels) float32.
        style: how the outputs become bytes.
        channels: how many channels a pixel has, 1 or 3.
        out: (N, pixels * channels) uint8, written.
    """
    programs, tile = compile_population(genotypes, outputs), _new_tile(genotypes)
    for start in range(0, inputs.shape[1], TILE):
        count = min(TILE, inputs.shape[1] - start)
        _set_inputs(inputs, start, count, tile)
        for g in range(len(out)):
            _draw(g, programs, count, tile)
            results = programs.results[g * outputs : (g + 1) * outputs]
            paint(style, tile, results, count, channels, out[g, start * channels :])
