"""The memory of a direct run with 1,000 classes, generation by generation, as JSON on stdout.

    python -m benchmarks.memory [--size 256] [--generations 120]

The classifier is of nearly no cost: 192 pixels of the image times a random matrix, so that each class prefers
an image of its own and the archive fills up. What the process holds before the run (Python, torch, kernels,
the classifier) is measured first and taken away.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

import torch

import fooling
from fooling import classifiers
from fooling.store.snapshot import Snapshot

CLASSES, GRID, POPULATION = 1_000, 8, 400


def classifier(size: int) -> classifiers.Classifier:
    """A random linear map of GRID x GRID pixels."""
    matrix = torch.randn(
        (3 * GRID * GRID, CLASSES), generator=torch.Generator().manual_seed(0), dtype=torch.float32
    )
    step = size // GRID

    def network(images: torch.Tensor) -> torch.Tensor:
        return images[:, :, ::step, ::step].flatten(1) @ matrix

    labels = tuple(map(str, range(CLASSES)))
    return classifiers.from_module(
        network, classifiers.Spec(name="random-linear", size=size, colour="rgb", labels=labels)
    )


def resident() -> tuple[float, float]:
    """Megabytes that this process holds now, and has held at most."""
    lines = Path("/proc/self/status").read_text().splitlines()
    fields = dict(line.split(":", 1) for line in lines)
    now, peak = (int(fields[name].split()[0]) * 1024 / 1e6 for name in ("VmRSS", "VmHWM"))
    return now, peak


def measure(size: int, generations: int) -> dict[str, Any]:
    """A run, watched from within."""
    network = classifier(size)
    with tempfile.TemporaryDirectory() as folder:
        warm = {"encoding.name": "direct", "search.generations": 1, "search.population": 50}
        fooling.run("mnist-direct", out=Path(folder) / "warm", flags=warm)
        before, _ = resident()
        rows: list[dict[str, Any]] = []

        def watch(view: Snapshot) -> None:
            now, peak = resident()
            kept = len(set(view.archive.rows.tolist()))
            rows.append(
                {
                    "generation": view.generation,
                    "images": kept,
                    "rss_mb": now - before,
                    "peak_mb": peak - before,
                }
            )

        flags = {"search.generations": generations, "search.population": POPULATION}
        run = fooling.run(
            "mnist-direct", out=Path(folder) / "run", flags=flags, classifier=network, report=watch
        )
        _, peak = resident()
    return {
        "size": size,
        "before_mb": before,
        "peak_mb": peak - before,
        "seconds": run.seconds,
        "generations": rows,
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--generations", type=int, default=120)
    given = parser.parse_args()
    print(json.dumps(measure(given.size, given.generations)))
