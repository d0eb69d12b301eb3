"""How cost grows with the size of things, and what the size of a generation costs in quality.

    python -m benchmarks.sweeps [--quick] [--cores 2]

Population: whole searches of the same number of evaluations in generations of different sizes, so that
GPU-sized generations are a choice with a known cost. Hidden nodes, image size and classes: microseconds an
image on one thread, medians of repeats in turns; growth is the b of cost = a size^b, fitted to the larger half
of the sizes. Before any figure: a chunk's images must be those of its genotypes drawn one at a time.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from benchmarks.archive import IMAGES, classified, settled
from benchmarks.archive import chunks as cut
from benchmarks.archive import reduce as reduced
from benchmarks.report import arguments, assets, exponent, interleaved, parser, save, spread
from benchmarks.zoo import network
from cppn import variation
from cppn.keys import Keys
from cppn.population import Population
from cppn.rendering import Raster, render
from fooling import bench, encodings
from fooling.classifiers import Classifier
from fooling.config import resolve
from fooling.present.markdown import table as markdown

COUNT = 50  # images of a measured call: a chunk


def search(encoding: str, population: int, evaluations: int, classifier: Classifier | None, seed: int) -> Any:
    """A search in memory with generations of one size, the first included."""
    flags = {"encoding.name": encoding, "search.population": population, "seed": seed}
    bred = bench.prepare(resolve(None, [], flags), 0, classifier=classifier)
    try:
        began, images = time.perf_counter(), 0
        for _ in range(evaluations // population - 1):
            images += bred.step()
        seconds = time.perf_counter() - began
    finally:
        bred.executor.close()
    confidence = bred.archive.confidence
    return {
        "mean": float(confidence.mean()),
        "median": float(np.median(confidence)),
        "min": float(confidence.min()),
        "at_least_0.99": float((confidence >= np.float32(0.99)).mean()),
        "evaluations_per_second": images / seconds if images else float("nan"),
    }


def populations(
    encodings_: Sequence[str], sizes: Sequence[int], evaluations: int, seeds: int, model: str | None = None
) -> dict[str, Any]:
    """Searches of every size, in turns; of the shipped LeNet, or a network of the assets."""
    classifier = network(model) if model else None
    calls = {
        f"{encoding} {size}": partial(search, encoding, size, evaluations, classifier)
        for encoding in encodings_
        for size in sizes
    }
    return {"evaluations": evaluations, "model": model or "builtin:lenet", "runs": interleaved(calls, seeds)}


def grown(hidden: int, outputs: int) -> Population:
    """A chunk of CPPNs with about so many hidden nodes: nothing but additions."""
    rates = variation.Rates(add_edge=1.0, delete_edge=0.0, add_node=1.0, delete_node=0.0)
    population = variation.initialise(Keys.of_generation(0, 0, COUNT), outputs, rates)
    for generation in range(hidden):
        population = variation.mutate(population, Keys.of_generation(0, generation + 1, COUNT), rates)
    return population


def microseconds(call: Callable[[], Any], _: int) -> float:
    """An image's share of a call that makes COUNT, after one that is not counted, for 50 ms at least."""
    call()
    calls, began = 0, time.perf_counter()
    while (elapsed := time.perf_counter() - began) < 0.05 or not calls:
        call()
        calls += 1
    return elapsed * 1e6 / calls / COUNT


def hidden_nodes(sizes: Sequence[int], repeats: int) -> dict[str, Any]:
    """Rendering and varying CPPNs of different complexity."""
    rates, keys = variation.Rates(), Keys.of_generation(0, 1, COUNT)
    rasters = {"28x28 grey": Raster(28), "256x256 HLS": Raster(256, colour="hls", channels=3)}
    calls: dict[str, Callable[[int], float]] = {}
    for size in sizes:
        for name, raster in rasters.items():
            calls[f"render {name} {size}"] = partial(
                microseconds, partial(render, grown(size, raster.outputs), raster)
            )
        calls[f"vary {size}"] = partial(microseconds, partial(variation.mutate, grown(size, 1), keys, rates))
    return interleaved(calls, repeats)


def image_sizes(sizes: Sequence[int], repeats: int) -> dict[str, Any]:
    """What an image costs at different sizes, both encodings, in colour."""
    keys = Keys.of_generation(0, 1, COUNT)
    calls: dict[str, Callable[[int], float]] = {}
    drawn = grown(10, 3)
    for size in sizes:
        direct = encodings.create(resolve(None, [], {"encoding.name": "direct"}).encoding, size, "rgb")
        genes = direct.initialise(keys)
        raster = Raster(size, colour="hls", channels=3)
        calls[f"render CPPN {size}"] = partial(microseconds, partial(render, drawn, raster))
        calls[f"vary direct {size}"] = partial(microseconds, partial(direct.mutate, genes, keys))
        calls[f"render direct {size}"] = partial(microseconds, partial(direct.render, genes))
    return interleaved(calls, repeats)


def class_counts(sizes: Sequence[int], repeats: int) -> dict[str, Any]:
    """Reducing and offering a generation to a settled archive; microseconds an image."""

    def cost(classes: int, repeat: int) -> float:
        archive = settled(classes)
        parts = cut(classified(IMAGES, classes, 100 + repeat), 100)
        began = time.perf_counter()
        archive.offer(*[reduced(part, archive.thresholds) for part in parts])
        return (time.perf_counter() - began) * 1e6 / IMAGES

    return interleaved({f"reduce and offer {size}": partial(cost, size) for size in sizes}, repeats)


def check() -> None:
    """Drawn together or alone, images are the same.

    Raises:
        AssertionError: they aren't.
    """
    population, raster = grown(10, 3), Raster(64, colour="hls", channels=3)
    together = render(population, raster)
    for row in range(len(population)):
        alone = render(population.take([row]), raster)[0]
        assert np.array_equal(together[row], alone), f"image {row} is another one when drawn alone"


def growth_table(label: str, found: Mapping[str, Sequence[float]], power: int = 1) -> str:
    """A row per size, a column per cost, the fitted growth below; `power` turns sides into pixels."""
    series: dict[str, dict[int, Sequence[float]]] = {}
    for key, values in found.items():
        name, _, size = key.rpartition(" ")
        series.setdefault(name, {})[int(size)] = values
    sizes = sorted(next(iter(series.values())))
    rows = [[f"{size:,}", *[spread(each[size], ",.1f") for each in series.values()]] for size in sizes]
    upper = sizes[len(sizes) // 2 :]
    fits = [
        exponent([size**power for size in upper], [statistics.median(each[size]) for size in upper])
        for each in series.values()
    ]
    return markdown((label, *series), [*rows, ["growth", *[f"{fit:.2f}" for fit in fits]]])


def population_table(found: dict[str, Any]) -> str:
    """Quality and speed by the size of a generation."""
    rows = []
    for key, runs in found["runs"].items():
        encoding, size = key.split()
        column = {name: [run[name] for run in runs] for name in runs[0]}
        rows.append(
            [
                encoding,
                f"{int(size):,}",
                f"{found['evaluations'] // int(size):,}",
                spread(column["mean"], ".5f"),
                spread(column["median"], ".5f"),
                spread(column["min"], ".5f"),
                spread(column["at_least_0.99"], ".0%"),
                spread(column["evaluations_per_second"]),
            ]
        )
    head = ("encoding", "generation's size", "generations", "mean confidence", "median", "lowest",
            "classes at 0.99", "evaluations/s")  # fmt: skip
    return markdown(head, rows)


def main(given: argparse.Namespace) -> None:
    """All sweeps."""
    check()
    repeats = 2 if given.quick else 7
    evaluations, seeds = (6_400, 1) if given.quick else (51_200, 3)
    sizes = (50, 200, 800, 3_200) if given.quick else (50, 200, 800, 3_200, 12_800)
    swept: dict[str, Any] = {
        "population": populations(("cppn", "direct"), sizes, evaluations, seeds),
        "hidden": hidden_nodes((2, 5, 10, 20, 40, 80), repeats),
        "size": image_sizes((28, 64, 128, 256) if given.quick else (28, 64, 128, 256, 512), repeats),
        "classes": class_counts((10, 100, 1_000, 5_000, 20_000), repeats),
    }
    if assets() and not given.quick:
        large = populations(("cppn",), (100, 400, 1_600, 6_400), 51_200, 1, "mobilenet_v1_025_128")
        swept["population, 1,000 classes"] = large
    tables = {
        f"Size of a generation, {swept[key]['evaluations']:,} evaluations each, {swept[key]['model']}":
            population_table(swept[key])
        for key in swept if key.startswith("population")
    }  # fmt: skip
    tables["Hidden nodes, microseconds an image"] = growth_table("hidden nodes", swept["hidden"])
    tables["Image size, microseconds an image, growth by pixels"] = growth_table("side", swept["size"], 2)
    tables[f"Classes, microseconds an image, of {IMAGES}"] = growth_table("classes", swept["classes"])
    save("sweeps", swept, tables, given.quick)


if __name__ == "__main__":
    main(arguments(parser(__doc__)))
