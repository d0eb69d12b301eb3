"""The renderer for GPUs: the bytes of the CPU's, bit for bit.

Triton's interpreter, which runs kernels on the CPU, has to be chosen before triton is imported: the checks
that need it run in one process of their own. What it can't show, whether the machine code rounds as the
kernel says, is read off the code that Triton makes for GPUs, which takes no GPU.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from cppn.activations import NAMES
from cppn.population import Population, concatenate, empty
from cppn.rendering import Raster, gpu, render

SIZE = 17  # two blocks of pixels, the second one not full
RASTERS = {
    f"{raster.colour}, {raster.quantisation}, {raster.coordinates}, {raster.channels}": raster
    for raster in (
        Raster(SIZE, coordinates, colour, quantisation, channels)  # type: ignore[arg-type]
        for colour, channels in (("grey", 1), ("grey", 3), ("hls", 3), ("hsv", 3), ("rgb", 3))
        for quantisation, coordinates in (("rounded", "normalised"), ("released", "raw"))
    )
}
RASTERS |= {f"wide, {kind}": Raster((9, 31), kind, "hls", "rounded", 3) for kind in ("normalised", "raw")}
RASTERS["high"] = Raster((40, 11))

# Reads {name: [raster's fields, arrays of a population]}, writes {name: images}.
INTERPRETED = """
import json, sys
import numpy as np
from cppn.population import Population
from cppn.rendering import Raster, gpu
given = np.load(sys.argv[1])
jobs = json.loads(sys.argv[3])
images = {}
for name, (raster, population) in jobs.items():
    prefix = population + "."
    arrays = {key.removeprefix(prefix): given[key] for key in given.files if key.startswith(prefix)}
    images[name] = gpu.render(Population.from_arrays(arrays), Raster(*raster), "cpu").numpy()
np.savez(sys.argv[2], **images)
"""


def a_node(function: int, outputs: int, weights: tuple[float, ...]) -> Population:
    """A network whose outputs all are one activation function of the weighted inputs."""
    edges = 4 * outputs
    return Population(
        outputs,
        np.array([0, outputs]),
        np.array([0, edges]),
        np.full(outputs, function, np.uint8),
        np.tile(np.arange(4, dtype=np.int32), outputs),
        np.repeat(np.arange(4, 4 + outputs, dtype=np.int32), 4),
        np.tile(np.array(weights, np.float32), outputs),
    )


WEIGHTS = (
    (1.5, -0.7, 2.3, 0.1),
    (3e4, -1e5, 7e3, 2e2),
    (1e-3, 2e-39, -1e-42, 0.0),
    (np.nan, 1.0, np.inf, 1.0),
)


def every_function(outputs: int) -> Population:
    """Each activation function alone: of ordinary, huge, tiny (subnormal) and undefined potentials."""
    return concatenate([a_node(f, outputs, w) for f in range(len(NAMES)) for w in WEIGHTS])


@pytest.fixture(scope="module")
def populations(evolved: Any) -> dict[str, Population]:
    made = {f"evolved{outputs}": evolved(5, outputs) for outputs in (1, 3)}
    made |= {f"functions{outputs}": every_function(outputs) for outputs in (1, 3)}
    return {**made, "empty1": empty(1)}


@pytest.fixture(scope="module")
def interpreted(populations: dict[str, Population], tmp_path_factory: Any) -> dict[str, np.ndarray]:
    """The images that the interpreter draws, by "population, raster"."""
    if not gpu.is_available():
        pytest.skip("triton is not installed")
    folder: Path = tmp_path_factory.mktemp("interpreted")
    arrays = {f"{p}.{name}": array for p, q in populations.items() for name, array in q.arrays().items()}
    np.savez(folder / "in.npz", allow_pickle=False, **arrays)
    jobs = {}
    for name, raster in RASTERS.items():
        fields = [raster.size, raster.coordinates, raster.colour, raster.quantisation, raster.channels]
        for population in populations:
            if population.endswith(str(raster.outputs)):
                jobs[f"{population}, {name}"] = [fields, population]
    subprocess.run(
        [sys.executable, "-c", INTERPRETED, folder / "in.npz", folder / "out.npz", json.dumps(jobs)],
        env={**os.environ, "TRITON_INTERPRET": "1"},
        check=True,
        timeout=240,
    )
    return dict(np.load(folder / "out.npz"))


@pytest.mark.slow
@pytest.mark.parametrize("name", RASTERS)
@pytest.mark.parametrize("kind", ["evolved", "functions"])
def test_the_gpu_s_kernel_draws_the_bytes_of_the_cpu(
    kind: str, name: str, interpreted: dict[str, np.ndarray], populations: dict[str, Population]
) -> None:
    """A failure costs runs that can be repeated on another device, and confidences about other images."""
    raster = RASTERS[name]
    population = f"{kind}{raster.outputs}"
    expected = render(populations[population], raster)
    assert np.array_equal(interpreted[f"{population}, {name}"], expected)
    assert len(np.unique(expected)) > 10  # no test of black squares


@pytest.mark.slow
def test_no_genotypes_give_no_images(interpreted: dict[str, np.ndarray]) -> None:
    """A failure costs a traceback where a chunk is empty."""
    assert interpreted["empty1, grey, rounded, normalised, 3"].shape == (0, SIZE, SIZE, 3)


@pytest.mark.slow
@pytest.mark.parametrize("colour, outputs, channels", [("grey", 1, 1), ("hls", 3, 3), ("hsv", 3, 3)])
def test_machine_code_rounds_every_product_sum_and_quotient(colour: str, outputs: int, channels: int) -> None:
    """A failure costs equal bits on real GPUs, which the interpreter can't notice: a contracted product and
    sum, an approximate quotient, a subnormal number flushed to 0."""
    triton = pytest.importorskip("triton")
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource

    from cppn.rendering import triton_kernel
    from cppn.rendering.colour import style_of

    style = style_of(colour, "released")
    constants = {
        "conversion": style.conversion,
        "cut": style.cut,
        "outputs": outputs,
        "channels": channels,
        "block": triton_kernel.BLOCK,
    }
    pointers = {"out": "*u8"}
    pointers |= dict.fromkeys(("starts", "weights", "inputs", "scratch"), "*fp32")
    pointers |= dict.fromkeys(("steps", "results", "functions", "edges", "slots"), "*i32")
    numbers = dict.fromkeys(("genotypes", "pixels", "room"), "i32")
    numbers |= dict.fromkeys(("hue", "unit", "add", "subtract"), "fp32")
    source = ASTSource(
        triton_kernel.render,
        signature={**pointers, **numbers, **dict.fromkeys(constants, "constexpr")},
        constexprs=constants,
    )
    target = GPUTarget("cuda", 90, 32)
    code = triton.compile(source, target=target, options=dict(triton_kernel.OPTIONS)).asm["ptx"]
    arithmetic = set(re.findall(r"\b((?:fma|mad|mul|add|sub|div|rcp|sqrt|ex2|sin)\.[\w.]*f32)", code))
    assert arithmetic == {"mul.rn.f32", "add.rn.f32", "sub.rn.f32", "div.rn.f32"}
    assert "ftz" not in code


@pytest.mark.cuda
@pytest.mark.parametrize("size", [SIZE, 227])
@pytest.mark.parametrize("name", RASTERS)
def test_a_real_gpu_draws_the_bytes_of_the_cpu(
    name: str, size: int, populations: dict[str, Population], evolved: Any
) -> None:
    """As the interpreter's test; larger, and with more programs than a device runs at once."""
    if not (torch.cuda.is_available() and gpu.is_available()):
        pytest.skip("no CUDA device with triton here")
    fields = RASTERS[name]
    raster = Raster(size, fields.coordinates, fields.colour, fields.quantisation, fields.channels)
    for population in (populations[f"functions{raster.outputs}"], evolved(60, raster.outputs, 200)):
        images = gpu.render(population, raster, "cuda")
        assert images.is_cuda
        assert np.array_equal(images.cpu().numpy(), render(population, raster))
