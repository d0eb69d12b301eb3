"""What do Ray workers cost where the local executor would do?

    python -m benchmarks.beside_local [--quick] [--cores 2]

Whole runs of real networks by 2 workers on 2 cores beside the same ones by the local executor, in turns, each a
process of its own: the search alone, as `fooling run --json` tells it, without Ray's start. All must make the same
archive. The ratio is of the medians; the spread is of the pairs' own ratios.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

from benchmarks.report import ROOT, arguments, assets, interleaved, parser, save, spread
from fooling.present.markdown import table as markdown

REPEATS = 7


class Run(NamedTuple):
    """A whole run; `goal` is what it may cost at most, in times of the local executor."""

    goal: float
    generations: int
    arguments: tuple[str, ...]
    needs_assets: bool = False


MCUNET = ("imagenet-cppn", "--model", "python:benchmarks.zoo:mcunet_5fps_128", "--trust")
RUNS = {
    "mnist-cppn": Run(1.6, 200, ("mnist-cppn",)),
    "mcunet, 128x128 CPPN": Run(1.1, 10, MCUNET, needs_assets=True),
}


def measure(quick: bool) -> dict[str, Any]:
    """Every run that there is a network for."""
    available = {name: run for name, run in RUNS.items() if not run.needs_assets or assets()}
    if len(available) < len(RUNS):
        print("no assets (set FOOLING_ASSETS): the large network is left out")
    return {
        name: compare(run, 1 if quick else REPEATS, 10 if quick else run.generations)
        for name, run in available.items()
    }


def compare(run: Run, repeats: int, generations: int) -> dict[str, Any]:
    """A run by 2 workers and by the local executor, in turns.

    Raises:
        AssertionError: they made different archives.
    """
    calls = {
        "local": partial(searched, run.arguments, generations, ()),
        "ray": partial(searched, run.arguments, generations, ("--workers", "2")),
    }
    found = interleaved(calls, repeats)
    assert len({digest for runs in found.values() for _, digest in runs}) == 1, "archives differ"
    seconds = {kind: [each for each, _ in runs] for kind, runs in found.items()}
    ratios = [ray / local for ray, local in zip(seconds["ray"], seconds["local"], strict=True)]
    ratio = statistics.median(seconds["ray"]) / statistics.median(seconds["local"])
    facts = {"generations": generations, "goal": run.goal, "seconds": seconds}
    return {**facts, "ratio": ratio, "ratios": ratios}


def searched(run: Sequence[str], generations: int, where: Sequence[str], _: int) -> tuple[float, str]:
    """Seconds that a run, in a process of its own on two cores, spends searching; its archive's digest."""
    pin = partial(os.sched_setaffinity, 0, sorted(os.sched_getaffinity(0))[-2:])
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "fooling", "run", *run, *where, "--quiet", "--json"]
        command += ["--out", f"{folder}/run", "--set", f"search.generations={generations}"]
        done = subprocess.run(command, stdout=subprocess.PIPE, cwd=ROOT, preexec_fn=pin, check=True)
    found = json.loads(done.stdout)
    return found["seconds"], found["archive_sha256"]


def table(found: dict[str, Any]) -> str:
    """Both, and their ratio."""
    rows = [
        [
            name,
            run["generations"],
            *(spread(run["seconds"][kind], ".2f") for kind in ("local", "ray")),
            f"{run['ratio']:.2f} ({min(run['ratios']):.2f} to {max(run['ratios']):.2f})",
            run["goal"],
        ]
        for name, run in found.items()
    ]
    return markdown(("run", "generations", "local, s", "2 workers, s", "ratio", "at most"), rows)


def main(given: argparse.Namespace) -> None:
    """Measure every run."""
    found = measure(given.quick)
    tables = {"2 workers on 2 cores beside the local executor": table(found)}
    save("beside_local", found, tables, given.quick)


if __name__ == "__main__":
    main(arguments(parser(__doc__)))
