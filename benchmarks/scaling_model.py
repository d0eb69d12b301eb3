"""Where does one driver end? A model of a generation's time, fitted to what `benchmarks.scaling` measured.

    python -m benchmarks.scaling_model [--quick]

A generation of N workers with m chunks each, whose classifier takes L seconds a chunk, is taken to last

    max(m (L g + w) + N d, N m c) + s0 + s1 N m

    w   what a worker does for a chunk besides classifying, its round trip included
    d   what the driver does per worker while others wait: dispatch of the first chunks, answers to the last
    c   CPU time of the driver per chunk: with more than 1 / c chunks a second it is the bottleneck
    s   choosing parents and reading results: nobody works meanwhile
    g   the wait for the last chunk where latencies vary: simulated, as the dispatcher does it

w, d, s and c are fitted by least squares. The figure is written to docs/images/scaling.png.
"""

from __future__ import annotations

import argparse
import heapq
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

import numpy as np

from benchmarks.report import RESULTS, ROOT, save
from fooling.present.markdown import table as markdown

GPUS = (8, 64, 1_000)
LATENCIES = (0.05, 0.2, 1.0, 5.0)
VARIATION = 0.1  # of latencies in the predictions
TARGET = 0.9
CHUNKS = 4  # of each worker, in a generation that is measured
FIGURE = ROOT / "docs" / "images" / "scaling.png"


@dataclass(frozen=True)
class Model:
    """The fitted costs, in seconds; `byte` is the driver's CPU time per byte, which is part of `driver`."""

    worker: float
    dispatch: float
    driver: float
    byte: float
    search: float
    search_chunk: float

    def generation(self, workers: int, chunks: int, latency: float, variation: float = 0.0) -> float:
        """Seconds of a generation of so many chunks a worker."""
        work = chunks * (latency * last_chunk(workers, chunks, variation) + self.worker)
        busy = max(work + workers * self.dispatch, workers * chunks * self.driver)
        return busy + self.search + self.search_chunk * workers * chunks

    def efficiency(self, workers: int, chunks: int, latency: float, variation: float = 0.0) -> float:
        """The time that latencies alone would take over a generation's."""
        return chunks * latency / self.generation(workers, chunks, latency, variation)

    def latency_for(self, target: float, workers: int, chunks: int, variation: float = 0.0) -> float:
        """The shortest latency of a chunk with such an efficiency; infinite where there is none."""
        low, high = 1e-4, 1e4
        if self.efficiency(workers, chunks, high, variation) < target:
            return float("inf")
        while high / low > 1.01:
            middle = (low * high) ** 0.5
            enough = self.efficiency(workers, chunks, middle, variation) >= target
            low, high = (low, middle) if enough else (middle, high)
        return high


@cache
def last_chunk(workers: int, chunks: int, variation: float, draws: int = 20) -> float:
    """How much longer a generation takes because latencies vary: who is free takes the next chunk, and all
    wait for the last. Lognormal latencies of mean 1; the mean of some draws, over the chunks of a worker."""
    if not variation:
        return 1.0
    sigma = np.sqrt(np.log1p(variation**2))
    random, ends = np.random.default_rng(0), []
    for _ in range(draws):
        free = [0.0] * workers
        for latency in np.exp(sigma * (random.standard_normal(workers * chunks) - sigma / 2)).tolist():
            heapq.heapreplace(free, free[0] + latency)
        ends.append(max(free))
    return float(np.mean(ends)) / chunks


def fit(cases: Sequence[dict[str, Any]]) -> Model:
    """The model of measured cases."""
    steady = [case for case in cases if case["seconds"] and not case["variation"]]
    workers = np.array([case["workers"] for case in steady], float)
    serial = np.array([case["serial"] for case in steady])
    rest = np.array([case["generation"] - CHUNKS * case["seconds"] for case in steady]) - serial
    each, dispatch = least_squares(np.column_stack([np.full_like(workers, CHUNKS), workers]), rest)
    search, search_chunk = least_squares(np.column_stack([np.ones_like(workers), CHUNKS * workers]), serial)
    busy = [case for case in steady if case["workers"] >= 8] or steady
    cpu = np.array([case["driver_cpu_per_chunk"] for case in busy])
    sizes = np.array([case["bytes_per_chunk"] for case in busy])
    _, byte = least_squares(np.column_stack([np.ones_like(cpu), sizes]), cpu)
    return Model(each, dispatch, float(np.median(cpu)), byte, search, search_chunk)


def least_squares(columns: Any, values: Any) -> list[float]:
    """Costs that are not below zero and explain the values best, each relative to its size."""
    from scipy.optimize import nnls

    weights = 1 / np.maximum(values, np.median(values) / 10)
    return nnls(columns * weights[:, None], values * weights)[0].tolist()


def prediction_table(model: Model) -> str:
    """Efficiencies by number of GPUs and latency, and what is needed for the target."""
    rows = [
        [
            f"{gpus:,}",
            *(f"{model.efficiency(gpus, CHUNKS, latency, VARIATION):.2f}" for latency in LATENCIES),
            seconds(model.latency_for(TARGET, gpus, CHUNKS)),
            seconds(model.latency_for(TARGET, gpus, CHUNKS, VARIATION)),
            seconds(model.latency_for(TARGET, gpus, 4 * CHUNKS, VARIATION)),
            f"{last_chunk(gpus, CHUNKS, VARIATION):.2f}, {last_chunk(gpus, 4 * CHUNKS, VARIATION):.2f}",
        ]
        for gpus in GPUS
    ]
    needed = f"latency for {TARGET}"
    head = ["GPUs", *(f"{latency * 1000:,.0f} ms a chunk" for latency in LATENCIES), f"{needed}, all chunks alike",
            f"{needed}, +- {VARIATION:.0%}", f"the same, {4 * CHUNKS} chunks a worker",
            f"the last chunk, {CHUNKS} and {4 * CHUNKS} a worker"]  # fmt: skip
    return markdown(head, rows)


def seconds(value: float) -> str:
    """A duration in the table; a dash where there is none."""
    return f"{value * 1000:,.0f} ms" if np.isfinite(value) else "-"


def check_table(model: Model, cases: Sequence[dict[str, Any]]) -> str:
    """What was measured beside what the model says."""
    rows = [
        [
            case["encoding"],
            f"{case['classes']:,}",
            f"{case['seconds'] * 1000:.0f} ms" + f" +- {case['variation']:.0%}" * bool(case["variation"]),
            case["workers"],
            f"{CHUNKS * case['seconds'] / case['generation']:.3f}",
            f"{model.efficiency(case['workers'], CHUNKS, case['seconds'], case['variation']):.3f}",
        ]
        for case in cases
        if case["seconds"] and case["workers"] >= 16
    ]
    return markdown(("encoding", "classes", "latency", "workers", "measured", "model"), rows)


def draw(model: Model, cases: Sequence[dict[str, Any]], path: Any) -> None:
    """Measured efficiencies with the model's, and where the model ends."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10.5, 4.2), layout="constrained")
    FigureCanvasAgg(figure)
    measured, predicted = figure.subplots(1, 2, sharey=True)
    shortest = min(case["seconds"] for case in cases if case["seconds"])
    for (encoding, classes), (marker, colour) in MARKS.items():
        for latency, face in ((shortest, colour), (2.5 * shortest, "none")):
            found = [
                case
                for case in cases
                if (case["encoding"], case["classes"], case["seconds"]) == (encoding, classes, latency)
                and not case["variation"]
            ]
            if found:
                label = f"{NAMES[encoding]}, {classes:,} classes" if face == colour else None
                xs, ys = zip(
                    *((c["workers"], CHUNKS * latency / c["generation"]) for c in found), strict=True
                )
                measured.plot(xs, ys, marker, color=colour, markerfacecolor=face, label=label)
    sizes = np.unique(np.geomspace(1, 64, 30).astype(int))
    for latency, line in ((shortest, "-"), (2.5 * shortest, "--")):
        curve = [model.efficiency(size, CHUNKS, latency) for size in sizes.tolist()]
        measured.plot(sizes, curve, line, color="0.4", label=f"model, {latency * 1000:.0f} ms a chunk")
    sizes = np.unique(np.geomspace(1, 2_000, 40).astype(int))
    for latency, colour in zip(LATENCIES, ("#b2182b", "#ef8a62", "#67a9cf", "#2166ac"), strict=True):
        curve = [model.efficiency(size, CHUNKS, latency, VARIATION) for size in sizes.tolist()]
        predicted.plot(sizes, curve, color=colour, label=f"{latency * 1000:,.0f} ms a chunk")
    measured.set_title(
        f"measured: {CHUNKS} chunks a worker and generation; hollow: {2500 * shortest:.0f} ms", fontsize=10
    )
    predicted.set_title(f"model: one driver, latencies ± {VARIATION:.0%}", fontsize=10)
    for axes, ticks in ((measured, (1, 2, 4, 8, 16, 32, 64)), (predicted, (1, 8, 64, 1_000))):
        axes.set_xscale("log")
        axes.set_xticks(ticks, [f"{tick:,}" for tick in ticks])
        axes.minorticks_off()
        axes.set_xlabel("workers")
        axes.set_ylim(0, 1.02)
        axes.axhline(TARGET, color="0.75", linewidth=0.8, zorder=0)
        axes.grid(alpha=0.25)
        axes.legend(fontsize=8, loc="lower left", frameon=False)
    measured.set_ylabel("parallel efficiency")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110, metadata={"Software": None})


NAMES = {"cppn": "CPPN", "direct": "direct"}
MARKS = {
    ("cppn", 10): ("o", "#2166ac"),
    ("cppn", 1_000): ("s", "#67a9cf"),
    ("direct", 10): ("^", "#b2182b"),
    ("direct", 1_000): ("v", "#ef8a62"),
}


def main(quick: bool) -> None:
    """Fit, draw, tell."""
    folder = RESULTS / "quick" if quick else RESULTS
    cases = json.loads((folder / "scaling.json").read_text())["cases"]
    model = fit(cases)
    costs = markdown(("cost", "microseconds"), [[k, f"{v * 1e6:,.4g}"] for k, v in asdict(model).items()])
    draw(model, cases, folder / "scaling.png" if quick else FIGURE)
    tables = {
        "Fitted costs": costs,
        "Held against what was measured": check_table(model, cases),
        f"Predicted efficiency, {CHUNKS} chunks a worker": prediction_table(model),
    }
    save("scaling_model", asdict(model), tables, quick)


if __name__ == "__main__":
    given = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    given.add_argument("--quick", action="store_true", help="of the quick measurement")
    main(given.parse_args().quick)
