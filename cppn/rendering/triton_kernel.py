"""The renderer for GPUs, in Triton (Tillet, Kung & Cox 2019). It repeats `cppn.rendering.kernel`, and the
functions that the kernel calls, operation by operation, so that the images are the same to the bit.

By itself, Triton divides approximately and may contract a product and a sum to one rounding: so divisions
here are `div_rn`, and OPTIONS forbid contraction. Importing this file needs triton.
"""

from __future__ import annotations

import numpy as np
import triton
import triton.language as tl

from cppn import activations, arithmetic
from cppn.rendering import colour, program

BLOCK = 256  # pixels that are computed together
# With more than one stage, Triton would fetch operands ahead, which the step before may be about to write.
OPTIONS = {"num_warps": 4, "num_stages": 1, "enable_fp_fusion": False}

# Kernels can read only constants of this type.
_ROUNDER = tl.constexpr(float(arithmetic.ROUNDER))
_SINE_LIMIT, _INVERSE_PI = (
    tl.constexpr(float(arithmetic.SINE_LIMIT)),
    tl.constexpr(float(arithmetic.INVERSE_PI)),
)
_PI_1, _PI_2 = tl.constexpr(float(arithmetic.PI_1)), tl.constexpr(float(arithmetic.PI_2))
_PI_3 = tl.constexpr(float(arithmetic.PI_3))
_S3, _S5 = tl.constexpr(float(arithmetic.S3)), tl.constexpr(float(arithmetic.S5))
_S7, _S9 = tl.constexpr(float(arithmetic.S7)), tl.constexpr(float(arithmetic.S9))
_LOW, _HIGH = (
    tl.constexpr(float(arithmetic.EXPONENTIAL_LOW)),
    tl.constexpr(float(arithmetic.EXPONENTIAL_HIGH)),
)
_INVERSE_LN2 = tl.constexpr(float(arithmetic.INVERSE_LN2))
_LN2_1, _LN2_2 = tl.constexpr(float(arithmetic.LN2_1)), tl.constexpr(float(arithmetic.LN2_2))
_E2, _E3 = tl.constexpr(float(arithmetic.E2)), tl.constexpr(float(arithmetic.E3))
_E4, _E5 = tl.constexpr(float(arithmetic.E4)), tl.constexpr(float(arithmetic.E5))
_LARGEST = tl.constexpr(float(np.finfo(np.float32).max))
_SINE, _SIGMOID = tl.constexpr(activations.SINE), tl.constexpr(activations.SIGMOID)
_GAUSSIAN, _LINEAR = tl.constexpr(activations.GAUSSIAN), tl.constexpr(activations.LINEAR)
_TANH = tl.constexpr(activations.TANH)
_HLS, _HSV = tl.constexpr(colour.HLS), tl.constexpr(colour.HSV)
_PIXEL_INPUTS = tl.constexpr(program.PIXEL_INPUTS)


@triton.jit
def _clip(x: tl.tensor, low: tl.tensor, high: tl.tensor) -> tl.tensor:
    x = tl.where(x > low, x, low)
    return tl.where(x < high, x, high)


@triton.jit
def _sine(x: tl.tensor) -> tl.tensor:
    x = _clip(x, -_SINE_LIMIT, _SINE_LIMIT)
    rounded = x * _INVERSE_PI + _ROUNDER
    k = rounded - _ROUNDER
    r = ((x - k * _PI_1) - k * _PI_2) - k * _PI_3
    s = r * r
    value = r + (r * s) * (_S3 + s * (_S5 + s * (_S7 + s * _S9)))
    odd = rounded.to(tl.int32, bitcast=True) << 31
    return (value.to(tl.int32, bitcast=True) ^ odd).to(tl.float32, bitcast=True)


@triton.jit
def _exponential(x: tl.tensor) -> tl.tensor:
    x = _clip(x, _LOW, _HIGH)
    rounded = x * _INVERSE_LN2 + _ROUNDER
    k = rounded - _ROUNDER
    r = (x - k * _LN2_1) - k * _LN2_2
    value = 1.0 + (r + (r * r) * (_E2 + r * (_E3 + r * (_E4 + r * _E5))))
    power = rounded.to(tl.int32, bitcast=True) << 23
    return (value.to(tl.int32, bitcast=True) + power).to(tl.float32, bitcast=True)


@triton.jit
def _sigmoid(p: tl.tensor) -> tl.tensor:
    return tl.div_rn(2.0, 1.0 + _exponential(-p)) - 1.0


@triton.jit
def _activate(function: tl.tensor, p: tl.tensor) -> tl.tensor:
    if function == _SINE:
        p = _sine(p)
    elif function == _SIGMOID:
        p = _sigmoid(p)
    elif function == _GAUSSIAN:
        p = _exponential(-(p * p))
    elif function == _LINEAR:
        p = tl.div_rn(_clip(p, -3.0, 3.0), 3.0)
    elif function == _TANH:
        p = _sigmoid(10.0 * p)
    else:
        p = _clip(p, 0.0, _LARGEST)
    return p


@triton.jit
def _ramps(hue: tl.tensor) -> tuple[tl.tensor, tl.tensor, tl.tensor]:
    hue = hue - tl.where(hue >= 6.0, 6.0, 0.0)
    red = _clip(tl.abs(hue - 3.0) - 1.0, 0.0, 1.0)
    green = _clip(2.0 - tl.abs(hue - 2.0), 0.0, 1.0)
    blue = _clip(2.0 - tl.abs(hue - 4.0), 0.0, 1.0)
    return red, green, blue


@triton.jit
def _hls_to_rgb(hue: tl.tensor, lightness: tl.tensor, saturation: tl.tensor) -> tl.tensor:
    red, green, blue = _ramps(hue)
    high = _clip(lightness * (1.0 + saturation), 0.0, lightness + saturation - lightness * saturation)
    low = 2.0 * lightness - high
    span = high - low
    return low + span * red, low + span * green, low + span * blue


@triton.jit
def _hsv_to_rgb(hue: tl.tensor, saturation: tl.tensor, value: tl.tensor) -> tl.tensor:
    red, green, blue = _ramps(hue)
    return (
        value * (1.0 - saturation * (1.0 - red)),
        value * (1.0 - saturation * (1.0 - green)),
        value * (1.0 - saturation * (1.0 - blue)),
    )


@triton.jit
def _number(
    slot: tl.tensor, tile: tl.tensor, unit: tl.tensor, cut: tl.constexpr, block: tl.constexpr
) -> tl.tensor:
    """One of the numbers of a pixel, folded, cut and scaled for the conversion."""
    v = _clip(tl.abs(tl.load(tile + tl.load(slot) * block)), 0.0, 1.0)
    if cut:
        v = (v * 255.0).to(tl.int32).to(tl.float32)
    return v * unit


@triton.jit
def _byte(channel: tl.tensor, add: tl.tensor, subtract: tl.tensor) -> tl.tensor:
    return ((channel * 255.0 + add) - subtract).to(tl.int32).to(tl.uint8)


@triton.jit
def _evaluate(
    step: tl.tensor,
    starts: tl.tensor,
    edges: tl.tensor,
    slots: tl.tensor,
    weights: tl.tensor,
    tile: tl.tensor,
    block: tl.constexpr,
) -> tl.tensor:
    """The potential of a step's node."""
    potential = tl.zeros((block,), tl.float32) + tl.load(starts + step)
    for edge in range(tl.load(edges + step), tl.load(edges + step + 1)):
        potential = potential + tl.load(weights + edge) * tl.load(tile + tl.load(slots + edge) * block)
    return potential


@triton.jit(do_not_specialize=["genotypes", "pixels", "room"])
def render(
    steps: tl.tensor,
    results: tl.tensor,
    functions: tl.tensor,
    starts: tl.tensor,
    edges: tl.tensor,
    slots: tl.tensor,
    weights: tl.tensor,
    inputs: tl.tensor,
    scratch: tl.tensor,
    out: tl.tensor,
    genotypes: tl.tensor,
    pixels: tl.tensor,
    room: tl.tensor,
    hue: tl.tensor,
    unit: tl.tensor,
    add: tl.tensor,
    subtract: tl.tensor,
    conversion: tl.constexpr,
    cut: tl.constexpr,
    outputs: tl.constexpr,
    channels: tl.constexpr,
    block: tl.constexpr,
) -> None:
    """Draw every genotype. Each Triton program draws one block of a genotype's pixels after the other.

    Args:
        steps ... weights: the fields of `cppn.rendering.program.Programs`, with int64 as int32.
        inputs: (3, pixels) float32.
        scratch: (Triton programs, room, block) float32; `room` is the number of slots of the longest
            genotype.
        out: (genotypes, pixels, channels) uint8, written.
        hue, unit, add, subtract, conversion, cut: the fields of `cppn.rendering.colour.Style`.
    """
    lanes = tl.arange(0, block)
    tile = scratch + tl.program_id(0).to(tl.int64) * room * block + lanes
    blocks = tl.cdiv(pixels, block)
    for turn in range(tl.program_id(0), genotypes * blocks, tl.num_programs(0)):
        g, pixel = turn // blocks, turn % blocks * block + lanes
        inside = pixel < pixels
        for k in tl.static_range(_PIXEL_INPUTS):
            tl.store(tile + k * block, tl.load(inputs + k * pixels + pixel, inside, 0.0))
        tl.debug_barrier()  # any thread may read what another one wrote
        first = tl.load(steps + g)
        for step in range(first, tl.load(steps + g + 1)):
            potential = _evaluate(step, starts, edges, slots, weights, tile, block)
            value = _activate(tl.load(functions + step), potential)
            tl.store(tile + (_PIXEL_INPUTS + step - first) * block, value)
            tl.debug_barrier()
        slot = results + g * outputs
        image = out + (g.to(tl.int64) * pixels + pixel) * channels
        red = _number(slot, tile, hue, cut, block)
        if outputs == 1:
            for channel in tl.static_range(channels):
                tl.store(image + channel, _byte(red, add, subtract), inside)
        else:
            green = _number(slot + 1, tile, unit, cut, block)
            blue = _number(slot + 2, tile, unit, cut, block)
            if conversion == _HLS:
                red, green, blue = _hls_to_rgb(red, green, blue)
            elif conversion == _HSV:
                red, green, blue = _hsv_to_rgb(red, green, blue)
            tl.store(image, _byte(red, add, subtract), inside)
            tl.store(image + 1, _byte(green, add, subtract), inside)
            tl.store(image + 2, _byte(blue, add, subtract), inside)
        tl.debug_barrier()  # the next turn writes where some threads may still read
