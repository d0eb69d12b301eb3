"""Rendering on CUDA devices: programs are compiled on the CPU (`cppn.rendering.program`), sent to the device
in one piece and drawn there (`cppn.rendering.triton_kernel`); the images stay on the device.

Tests compare the images with the CPU's, bit for bit, in Triton's interpreter. The machine code for an H100
was searched for contracted, approximate and flushing operations. The kernel has not run on hardware yet.
"""

from __future__ import annotations

import threading
from contextlib import AbstractContextManager, nullcontext
from functools import lru_cache
from importlib.util import find_spec

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cppn.jit import kernel
from cppn.population import Packed, Population
from cppn.rendering import Raster, check, colour, inputs
from cppn.rendering.program import PIXEL_INPUTS, Programs, compile_population

_PROGRAMS_PER_CORE = 8  # blocks of pixels that one multiprocessor works on at a time
_ALIGNED = 4  # numbers in 16 bytes: Triton compiles a kernel again for an array that is not so aligned

# Several threads may neither compile (at the first launch) nor use the interpreter at once.
_LAUNCHING = threading.Lock()


def is_available() -> bool:
    """Whether Triton is installed."""
    return find_spec("triton") is not None


def to_device(array: NDArray, device: str) -> Tensor:
    """An array on a device. A copy to CUDA is enqueued on this thread's stream, from pinned memory, and not
    waited for."""
    tensor = torch.from_numpy(array)
    return tensor if device == "cpu" else tensor.pin_memory().to(device, non_blocking=True)


def render(population: Population, raster: Raster, device: str) -> Tensor:
    """The images of a population, (N, height, width, channels) uint8 on the device, bit for bit those of
    `cppn.rendering.render`. They are enqueued on this thread's stream and not waited for.

    Args:
        device: "cuda" or "cuda:N"; "cpu" under Triton's interpreter (TRITON_INTERPRET=1).

    Raises:
        ValueError: as for `cppn.rendering.check`.
        ModuleNotFoundError: triton is not installed.
    """
    from cppn.rendering import triton_kernel

    check(population, raster)
    out = torch.empty(
        (len(population), raster.height, raster.width, raster.channels), dtype=torch.uint8, device=device
    )
    if not len(population):
        return out
    programs = _compile(population.packed(), population.outputs)
    room = PIXEL_INPUTS + int(np.diff(programs.steps).max())
    blocks = len(population) * -(-raster.pixels // triton_kernel.BLOCK)
    count = min(blocks, _programs_at_once(device))
    scratch = torch.empty((count, room, triton_kernel.BLOCK), device=device)
    style = colour.style_of(raster.colour, raster.quantisation)
    with _LAUNCHING, _current(device):
        triton_kernel.render[(count,)](
            *_send(programs, device),
            _inputs_on(raster.height, raster.width, raster.coordinates, device),
            scratch,
            out,
            len(population),
            raster.pixels,
            room,
            float(style.hue),
            float(style.unit),
            float(style.add),
            float(style.subtract),
            conversion=style.conversion,
            cut=style.cut,
            outputs=raster.outputs,
            channels=raster.channels,
            block=triton_kernel.BLOCK,
            **triton_kernel.OPTIONS,
        )
    return out


@kernel
def _compile(genotypes: Packed, outputs: int) -> Programs:
    return compile_population(genotypes, outputs)


def _send(programs: Programs, device: str) -> list[Tensor]:
    """The arrays of the programs on a device, in the order of `Programs`, with integers as int32. They travel
    in one copy."""
    steps = int(programs.steps[-1])
    edges = int(programs.edges[steps])
    lengths = (len(programs.steps), len(programs.results), steps, steps, steps + 1, edges, edges)
    full: tuple[NDArray, ...] = programs
    arrays = [array[:length] for array, length in zip(full, lengths, strict=True)]
    begins = np.cumsum([0, *(length + -length % _ALIGNED for length in lengths)])
    packed = np.empty(begins[-1], np.int32)
    for array, begin in zip(arrays, begins, strict=False):
        packed[begin : begin + len(array)] = array if array.dtype == np.int64 else array.view(np.int32)
    sent = to_device(packed, device)
    shares = [sent[begin : begin + length] for begin, length in zip(begins, lengths, strict=False)]
    return [
        share if array.dtype == np.int64 else share.view(torch.float32)
        for share, array in zip(shares, arrays, strict=True)
    ]


@lru_cache
def _inputs_on(height: int, width: int, coordinates: str, device: str) -> Tensor:
    # The copy is waited for, because the streams of other threads will read it.
    return torch.tensor(inputs(height, width, coordinates)).to(device)


def _programs_at_once(device: str) -> int:
    if device == "cpu":
        return 1
    return _PROGRAMS_PER_CORE * torch.cuda.get_device_properties(device).multi_processor_count


def _current(device: str) -> AbstractContextManager[object]:
    """Make a device torch's current one, on which Triton launches."""
    return nullcontext() if device == "cpu" else torch.cuda.device(device)
