"""The contract of an image: it depends on its genotype and the raster alone."""

from __future__ import annotations

import dataclasses
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cppn import variation
from cppn.activations import NAMES
from cppn.jit import readonly
from cppn.keys import Keys
from cppn.population import Population, concatenate, empty
from cppn.rendering import COORDINATES, Raster, kernel, render
from tests.cppn.rendering import reference
from tests.cppn.rendering.reference import kernel_values

RASTERS = [
    Raster(28),
    Raster(28, "raw", "grey", "released", 3),
    *(
        Raster(33, coordinates, colour, quantisation, 3)  # type: ignore[arg-type]
        for coordinates, quantisation in (("normalised", "rounded"), ("raw", "released"))
        for colour in ("hls", "hsv", "rgb")
    ),
]


@pytest.mark.parametrize("raster", RASTERS, ids=str)
def test_kernel_and_reference_draw_the_same_bytes(raster: Raster, evolved: Any) -> None:
    """A failure costs the confidences that are claimed: they are about these very bytes."""
    population = evolved(12, raster.outputs)
    images = render(population, raster)
    assert images.shape == (12, raster.height, raster.width, raster.channels)
    assert images.dtype == np.uint8
    assert np.array_equal(images, reference.render(population, raster))
    assert len(np.unique(images.reshape(12, -1), axis=0)) > 6  # not a test of twelve black squares


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 90), st.integers(1, 90), st.sampled_from(COORDINATES), st.sampled_from(["grey", "hls"]))
def test_images_of_any_shape_are_those_of_the_reference(
    height: int, width: int, coordinates: Any, colour: Any
) -> None:
    """A failure costs every run on a classifier that doesn't see squares: images cut, turned or shifted."""
    raster = Raster((height, width), coordinates, colour, channels=3)
    population = grown(height, raster.outputs)
    images = render(population, raster)
    assert images.shape == (len(population), height, width, 3)
    assert np.array_equal(images, reference.render(population, raster))
    if height == width:
        assert np.array_equal(images, render(population, dataclasses.replace(raster, size=height)))


def grown(seed: int, outputs: int) -> Population:
    """Three networks after some mutations."""
    keys = [Keys.of_generation(seed, generation, 3) for generation in range(9)]
    population = variation.initialise(keys[0], outputs, variation.Rates())
    for key in keys[1:]:
        population = variation.mutate(population, key, variation.Rates())
    return population


def test_an_image_does_not_depend_on_the_batch(evolved: Any) -> None:
    """A failure costs equal archives for any number of workers: batches are cut in other places there."""
    population, raster = evolved(20, 3), Raster(33, colour="hls", channels=3)
    images = render(population, raster)
    order = np.random.default_rng(0).permutation(20)
    assert np.array_equal(render(population.take(order), raster), images[order])
    for row in range(20):
        assert np.array_equal(render(population.take([row]), raster)[0], images[row])
    big = concatenate([evolved(1, 3, 300), population])
    assert np.array_equal(render(big, raster)[1:], images)


def test_a_pixel_does_not_depend_on_where_tiles_begin(evolved: Any) -> None:
    """A failure costs equal bits from a kernel with other tiles. With raw coordinates and no distance, a
    larger image begins with the smaller one, but its tiles are cut elsewhere."""
    population = evolved(20, 1)
    weights = np.where(population.sources == 2, np.float32(0), population.weights)
    population = dataclasses.replace(population, weights=weights)
    small, large = (kernel_values(population, Raster(size, "raw")) for size in (61, 100))
    assert kernel.TILE < 61 * 61
    assert np.array_equal(small, large[:, :61, :61])


def test_threads_draw_the_same_images_at_once(evolved: Any) -> None:
    """A failure costs runs that overlap rendering with classifying: something is shared between calls."""
    parts = [(evolved(30 + k, outputs), outputs) for k in range(4) for outputs in (1, 3)]

    def draw(part: tuple[Population, int]) -> np.ndarray:
        population, outputs = part
        return render(population, Raster(64, colour="grey" if outputs == 1 else "hls", channels=3))

    expected = [draw(part) for part in parts]
    with ThreadPoolExecutor(4) as pool:
        for found, image in zip(pool.map(draw, parts * 5), expected * 5, strict=True):
            assert np.array_equal(found, image)


def test_arrays_from_another_process_need_no_second_compilation(evolved: Any) -> None:
    """A failure costs seconds in each worker: Ray's arrays are read-only, for numba another type."""
    population, raster = evolved(5, 1), Raster(28)
    images = render(population, raster)
    compiler: Any = kernel.render
    compiled = len(compiler.signatures)
    arrays = {name: readonly(array) for name, array in population.arrays().items()}
    assert np.array_equal(render(Population.from_arrays(arrays), raster), images)
    assert len(compiler.signatures) == compiled


@pytest.mark.parametrize("outputs", [1, 3])
def test_no_genotypes_give_no_images(outputs: int) -> None:
    """A failure costs a traceback where a chunk is empty."""
    raster = Raster(28, colour="grey" if outputs == 1 else "rgb", channels=3)
    assert render(empty(outputs), raster).shape == (0, 28, 28, 3)
    assert kernel_values(empty(outputs), raster).shape == (0, 28, 28, outputs)
    assert reference.render(empty(outputs), raster).shape == (0, 28, 28, 3)


@pytest.mark.parametrize("draw", [render, kernel_values, reference.render, reference.values])
def test_populations_that_do_not_fit_the_raster_are_refused(draw: Any, evolved: Any) -> None:
    """A failure costs a crash without a word: kernels check no bounds."""
    with pytest.raises(ValueError, match="expected genotypes of 3 outputs for the colour hls, found 1"):
        draw(evolved(2, 1), Raster(28, colour="hls", channels=3))
    population = evolved(2, 1)
    unknown = dataclasses.replace(population, activations=population.activations + np.uint8(len(NAMES)))
    with pytest.raises(ValueError, match=f"expected activation functions 0 to {len(NAMES) - 1}, found"):
        draw(unknown, Raster(28))


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"size": 0}, "expected a size of at least 1 pixel, found 0"),
        ({"size": 8, "coordinates": "polar"}, "expected coordinates of normalised, raw, found 'polar'"),
        ({"size": 8, "colour": "lab"}, "expected a colour of grey, hls, hsv, rgb, found 'lab'"),
        ({"size": 8, "quantisation": "no"}, "expected a quantisation of rounded, released, found 'no'"),
        ({"size": 8, "channels": 2}, "expected 1 or 3 channels for the colour grey, found 2"),
        ({"size": 8, "colour": "rgb"}, "expected 3 channels for the colour rgb, found 1"),
    ],
)
def test_a_raster_that_means_nothing_is_refused(settings: dict[str, Any], message: str) -> None:
    """A failure costs a run with images that nobody asked for."""
    with pytest.raises(ValueError, match=message):
        Raster(**settings)
