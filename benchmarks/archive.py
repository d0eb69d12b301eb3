"""What the archive costs: time of an offer, memory of a large run.

    python -m benchmarks.archive [--quick] [--cores 2]

Time: 400 classified images, in 8 chunks of 50 as executors return them, of random confidences (a softmax of
normal logits), 28x28 pixels with a gene each. "Reduced" is what evaluators do with each chunk (the best image
of each class that beats the threshold), "offered" what the search does with the results. Fresh: the archive is
empty and every class changes. Settled: it has seen 20 generations. One thread; medians of repeats in turns.

Memory: `benchmarks.memory` in a process of its own. Before any figure, the archive is held against offering
images one by one and against a loop over classes.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.report import ROOT, arguments, interleaved, parser, save, spread
from fooling.archive import Archive, Candidates, Cells
from fooling.encodings.direct import DirectPopulation
from fooling.present.markdown import table as markdown

SIDE, IMAGES, CHUNK, GENERATIONS = 28, 400, 50, 20
LIMITS = {1_000: 2.0, 20_000: 40.0}  # milliseconds
Confidences = NDArray[np.float32]
Chunk = tuple[NDArray[np.int32], NDArray[np.uint8], DirectPopulation, Confidences]


def empty_archive(classes: int) -> Archive:
    """For grey images of SIDE pixels a side, with a gene each."""
    return Archive(
        Cells(classes), (SIDE, SIDE, 1), DirectPopulation(np.empty((classes, SIDE, SIDE, 1), np.float32), 0)
    )


def classified(images: int, classes: int, seed: int) -> Confidences:
    """Random confidences, (images, classes)."""
    logits = np.random.default_rng(seed).standard_normal((images, classes), np.float32)
    exponentials = np.exp(3 * logits)
    return exponentials / exponentials.sum(1, keepdims=True)


def chunks(confidences: Confidences, generation: int, chunk: int = CHUNK) -> list[Chunk]:
    """What `Candidates.best_of` takes (ids, pixels, genotypes, confidences), for each chunk; an image's genes and pixels tell its number."""
    count = len(confidences)
    ids = np.column_stack([np.full(count, generation), np.zeros(count), np.arange(count)]).astype(np.int32)
    genes = np.empty((count, SIDE, SIDE, 1), np.float32)
    genes[:] = np.arange(count, dtype=np.float32)[:, None, None, None] / count
    pixels = np.empty(genes.shape, np.uint8)
    pixels[:] = (np.arange(count) % 256).astype(np.uint8)[:, None, None, None]
    parts = [slice(start, start + chunk) for start in range(0, count, chunk)]
    return [(ids[part], pixels[part], DirectPopulation(genes[part]), confidences[part]) for part in parts]


def settled(classes: int) -> Archive:
    """An archive that has seen GENERATIONS generations."""
    archive = empty_archive(classes)
    for generation in range(GENERATIONS):
        archive.offer(*map(reduce, chunks(classified(IMAGES, classes, generation), generation)))
    return archive


def reduce(chunk: Chunk, thresholds: Confidences | None = None) -> Candidates:
    """What an evaluator returns of a chunk."""
    return Candidates.best_of(*chunk, thresholds)


def offer_times(classes: int, state: str, repeat: int) -> dict[str, float]:
    """Milliseconds of reducing and offering IMAGES images to an archive that is "fresh" or "settled"."""
    archive = settled(classes) if state == "settled" else empty_archive(classes)
    parts = chunks(classified(IMAGES, classes, GENERATIONS + repeat), GENERATIONS)
    began = time.perf_counter()
    candidates = [reduce(part, archive.thresholds) for part in parts]
    reduced = time.perf_counter()
    archive.offer(*candidates)
    offered = time.perf_counter()
    return {
        "reduced": 1e3 * (reduced - began),
        "offered": 1e3 * (offered - reduced),
        "together": 1e3 * (offered - began),
    }


def check(classes: int = 200, images: int = 100) -> None:
    """Chunks, single images and a loop over classes give the same archive, ties included.

    Raises:
        AssertionError: they don't.
    """
    batches = [np.round(classified(images, classes, seed), 2) for seed in range(3)]
    at_once, one_by_one = empty_archive(classes), empty_archive(classes)
    for generation, confidences in enumerate(batches):
        candidates = [
            reduce(part, at_once.thresholds) for part in chunks(confidences, generation, images // 4)
        ]
        at_once.offer(*candidates)
        for single in chunks(confidences, generation, 1):
            one_by_one.offer(reduce(single, one_by_one.thresholds))
    assert at_once.digest() == one_by_one.digest(), "offering in chunks and one by one gave other archives"
    every = np.concatenate(batches)
    for label in range(classes):
        best = int(every[:, label].argmax())  # the first of equals: the earliest
        expected = (best // images, 0, best % images)
        found = tuple(at_once.elite_ids[label].tolist())
        assert found == expected, f"class {label}: expected image {expected}, found {found}"


def memory(size: int, generations: int) -> dict[str, Any]:
    """What `benchmarks.memory` measures, in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.memory", "--size", size, "--generations", generations]
    done = subprocess.run(list(map(str, command)), cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"benchmarks.memory failed:\n{done.stderr}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def offer_table(found: dict[str, list[dict[str, float]]]) -> str:
    """The times."""
    rows = []
    for name, times in found.items():
        classes, state = name.split(" classes, ")
        columns = [spread([each[key] for each in times], ".2f") for key in times[0]]
        limit = LIMITS.get(int(classes))
        rows.append([f"{int(classes):,}", state, *columns, f"{limit:g}" if limit else ""])
    head = ("classes", "archive", "reduced, ms", "offered, ms", "together, ms", "at most, ms")
    return markdown(head, rows)


def memory_table(found: dict[str, Any]) -> str:
    """The memory at some generations."""
    rows = [
        [each["generation"], each["images"], f"{each['rss_mb']:,.0f}", f"{each['peak_mb']:,.0f}"]
        for each in found["generations"]
    ]
    last = len(rows) - 1
    chosen = sorted({0, last, *(round(last * part / 6) for part in range(7))})
    head = ("generation", "images kept", "resident, MB, besides the classifier", "its peak so far, MB")
    return markdown(head, [rows[index] for index in chosen])


def main(given: argparse.Namespace) -> None:
    """Check, then time and memory."""
    check()
    sizes = (10, 1_000, 20_000)
    calls = {
        f"{classes} classes, {state}": partial(offer_times, classes, state)
        for classes in sizes
        for state in ("fresh", "settled")
    }
    times = interleaved(calls, 3 if given.quick else 15)
    medians = {
        name: {key: statistics.median([each[key] for each in found]) for key in found[0]}
        for name, found in times.items()
    }
    used = memory(64, 20) if given.quick else memory(256, 120)
    tables = {
        f"{IMAGES} images offered": offer_table(times),
        f"A run of 1,000 classes, direct, {used['size']}x{used['size']}": memory_table(used),
    }
    save("archive", {"milliseconds": medians, "all": times, "memory": used}, tables, given.quick)


if __name__ == "__main__":
    main(arguments(parser(__doc__)))
