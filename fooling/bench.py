"""How much of a generation is the classifier's forward pass, and which numerics suit a machine.

The figure of merit is evaluations/s of whole generations over images/s of the bare forward pass: the same
network, batch and device in the same process, measured in turns so that a machine whose speed drifts slows
both. The forward pass is given its best usual form: NCHW or channels-last, one call on all cores or one call
per core.
"""

from __future__ import annotations

import copy
import statistics
import sys
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch

from cppn.keys import Keys
from fooling import classifiers, encodings
from fooling.archive import Archive, Candidates, Cells
from fooling.classifiers.numerics import Numerics, resolve
from fooling.config import ResolvedSettings, Settings
from fooling.runs.computing import Computing
from fooling.runs.hosting import HostSpec, chunk_of, evaluators_of
from fooling.runs.hosting import resolve as resolve_settings
from fooling.search.breeding import identities, vary
from fooling.search.map_elites import MapElites
from workers.local import LocalExecutor, prepare_thread, usable_cores

TURN_SECONDS = 0.5  # of each measurement within a round
BREEDING_SECONDS = 120.0  # unless told otherwise: large networks would breed for hours


@dataclass
class Bench:
    """A search in memory, with elites bred for it."""

    settings: ResolvedSettings
    classifier: classifiers.Classifier
    archive: Archive
    search: MapElites
    executor: LocalExecutor
    computing: Computing
    toolbox: Any
    chunk: int
    generation: int = 0

    def step(self) -> int:
        """One generation; the images it evaluated."""
        outcome = self.search.step(self.generation, self.computing)
        self.generation += 1
        return outcome.evaluations

    def pace(self) -> float:
        """Evaluations/s."""
        return rate(self.step)


def prepare(
    settings: Settings,
    generations: int,
    trust: bool = False,
    classifier: classifiers.Classifier | None = None,
    breeding_seconds: float = BREEDING_SECONDS,
) -> Bench:
    """Load the classifier and breed elites for some generations, or for as many as the seconds allow.

    Args:
        classifier: takes the place of the settings' `model`, under the settings' numerics.
    """
    run = settings.run
    numerics = resolve(run.device, run.threads, run.layout, run.batch, run.compile)
    if classifier is None:
        classifier = classifiers.load(settings.model, numerics=numerics, trust=trust)
    classifier = classifier.with_numerics(numerics)
    spec, resolved = classifier.spec, resolve_settings(settings, classifier)
    host, _ = HostSpec.of(resolved, numerics).host(classifier)
    encoding = encodings.create(settings.encoding, spec.size, spec.colour)
    archive = Archive(Cells(len(spec.labels)), encoding.image_shape, encoding.empty(len(spec.labels)))
    evaluators = evaluators_of(run, numerics.device)
    chunk = chunk_of(resolved, classifier, evaluators)
    endless = resolved.search.model_copy(update={"generations": sys.maxsize})
    search = MapElites(endless, settings.seed, chunk, host.toolbox, archive)
    executor = LocalExecutor(host, evaluators, lambda: prepare_thread(numerics.device, run.threads))
    bench = Bench(resolved, classifier, archive, search, executor, Computing(executor), host.toolbox, chunk)
    deadline = time.monotonic() + breeding_seconds
    while bench.generation <= generations and time.monotonic() < deadline:
        bench.step()
    return bench


def throughput(
    settings: Settings,
    generations: int = 200,
    rounds: int = 5,
    trust: bool = False,
    classifier: classifiers.Classifier | None = None,
    breeding_seconds: float = BREEDING_SECONDS,
) -> dict[str, Any]:
    """Measure whole generations against the bare forward pass, in turns.

    Args:
        generations: bred before measuring, so that genotypes have the size that they have in a run; fewer
            where `breeding_seconds` are over first.
        rounds: turns of each measurement; medians are reported.
        classifier: takes the place of the settings' `model`, under the settings' numerics.

    Returns:
        What `fooling bench throughput --json` prints; rates in images/s, stages in microseconds per image
        on one thread.
    """
    bench = prepare(settings, generations, trust, classifier, breeding_seconds)
    bred = bench.generation - 1
    try:
        forwards = forward_forms(
            bench.classifier, evaluators_of(settings.run, bench.classifier.numerics.device)
        )
        measured: dict[str, list[float]] = {name: [] for name in [*forwards, "generation"]}
        for _ in range(rounds):
            for name, call in forwards.items():
                measured[name].append(rate(call))
            measured["generation"].append(bench.pace())
        name = settings.model if classifier is None else classifier.spec.name
        return {"model": name, **_report(bench, bred, measured)}
    finally:
        bench.executor.close()


def rate(call: Callable[[], int], seconds: float = TURN_SECONDS) -> float:
    """Images per second of a call that returns how many images it did, after one that is not counted."""
    call()
    images, began = 0, time.perf_counter()
    while (elapsed := time.perf_counter() - began) < seconds or not images:
        images += call()
    return images / elapsed


def forward_forms(classifier: classifiers.Classifier, evaluators: int) -> dict[str, Callable[[], int]]:
    """The usual forms of the bare forward pass, each a call that returns how many images it did."""
    numerics, device = classifier.numerics, classifier.numerics.device
    calls: dict[str, Callable[[], int]] = {}
    network = classifier.network
    for layout in ("nchw", "channels-last"):
        form = Numerics(layout=layout, batch=numerics.batch, device=device)
        module = _in_layout(network, form)
        if numerics.compiled:
            module = torch.compile(module, dynamic=False)
        spec = classifier.spec
        shape = (numerics.batch, *spec.input_shape)
        batch = torch.rand(shape, generator=torch.Generator().manual_seed(0)).to(device)
        batch = batch.contiguous(memory_format=form.memory_format)
        calls[f"forward, {layout}, one call on all cores"] = _on_all_cores(module, batch, spec.views)
        if device == "cpu":
            calls[f"forward, {layout}, a call per core"] = _per_core(module, batch, evaluators, spec.views)
    return calls


def stages(bench: Bench) -> dict[str, float]:
    """Microseconds per image of each stage, one thread: medians over chunks of one generation."""
    spent: dict[str, list[float]] = {}

    def timed(name: str, images: int, call: Callable[[], Any]) -> Any:
        began = time.perf_counter()
        result = call()
        spent.setdefault(name, []).append((time.perf_counter() - began) * 1e6 / images)
        return result

    threads = torch.get_num_threads()
    torch.set_num_threads(bench.settings.run.threads)
    try:
        for _ in range(5):
            work = timed(
                "select", bench.settings.search.population, lambda: bench.search.ask(bench.generation)
            )
            results = [_chunk_stages(bench, work.shared, chunk, timed) for chunk in work.chunks]
            timed("offer", work.size, partial(bench.search.tell, work, results))
            bench.generation += 1
    finally:
        torch.set_num_threads(threads)
    return {name: round(statistics.median(values), 3) for name, values in spent.items()}


def tune(settings: Settings, trust: bool = False) -> list[dict[str, Any]]:
    """Images/s of the classifier under candidate numerics, fastest first. Nothing is changed."""
    rows = []
    cores = usable_cores()
    base = classifiers.load(settings.model, numerics=resolve(device=settings.run.device), trust=trust)
    pixels = np.random.default_rng(0).integers(0, 256, (200, *base.spec.image_shape), np.uint8)
    for layout in ("channels-last", "nchw"):
        for batch in (10, 25, 50, 100, 200):
            for threads in sorted({1, cores}):
                numerics = resolve(device=base.numerics.device, threads=threads, layout=layout, batch=batch)
                classifier = base.with_numerics(numerics)
                calls = max(1, cores // threads) if numerics.device == "cpu" else 1
                with ThreadPoolExecutor(calls) as pool:

                    def call(classifier: Any = classifier, pool: Any = pool, calls: int = calls) -> int:
                        return sum(map(len, pool.map(classifier.classify, [pixels] * calls)))

                    rows.append(
                        {
                            "layout": layout,
                            "batch": batch,
                            "threads": threads,
                            "images_per_second": rate(call),
                        }
                    )
    return sorted(rows, key=lambda row: -row["images_per_second"])


def _chunk_stages(bench: Bench, shared: Any, chunk: Any, timed: Callable[..., Any]) -> Candidates:
    toolbox, count = bench.toolbox, len(chunk.keys)
    keys: Keys = chunk.keys
    genotypes = timed("vary", count, lambda: vary(toolbox, shared.genotypes, chunk))
    pixels = timed("render", count, lambda: toolbox.render(genotypes))
    confidences = timed("classify", count, lambda: toolbox.classify(pixels))
    ids = identities(keys)
    return timed(
        "reduce", count, lambda: Candidates.best_of(ids, pixels, genotypes, confidences, shared.thresholds)
    )


def _report(bench: Bench, bred: int, measured: dict[str, list[float]]) -> dict[str, Any]:
    medians = {name: statistics.median(values) for name, values in measured.items()}
    evaluations = medians.pop("generation")
    best = max(medians, key=lambda name: medians[name])
    run = bench.settings.run
    return {
        "encoding": bench.settings.encoding.name,
        "bred_generations": bred,
        "chunk": bench.chunk,
        "batch": run.batch,
        "population": bench.settings.search.population,
        "device": bench.classifier.numerics.device,
        "device_model": bench.classifier.numerics.device_model,
        "threads": run.threads,
        "evaluators": evaluators_of(bench.settings.run, bench.classifier.numerics.device),
        "forward_images_per_second": medians[best],
        "forward_form": best,
        "evaluations_per_second": evaluations,
        "ratio": evaluations / medians[best],
        "stages": stages(bench),
        "forwards": medians,
        "rounds": {name: [round(value, 1) for value in values] for name, values in measured.items()},
    }


def _in_layout(network: Any, numerics: Numerics) -> Any:
    """A copy of a network in another memory layout; functions are as they are."""
    if not isinstance(network, torch.nn.Module):
        return network
    module: Any = copy.deepcopy(network)
    return module.to(memory_format=numerics.memory_format)


def _on_all_cores(network: Any, batch: torch.Tensor, views: int) -> Callable[[], int]:
    def call() -> int:
        before = torch.get_num_threads()
        torch.set_num_threads(usable_cores())
        with torch.inference_mode():
            for _ in range(4):
                network(batch)
            if batch.is_cuda:
                torch.cuda.synchronize()
        torch.set_num_threads(before)
        return 4 * len(batch) // views

    return call


def _per_core(network: Any, batch: torch.Tensor, evaluators: int, views: int) -> Callable[[], int]:
    pool = ThreadPoolExecutor(evaluators, initializer=torch.set_num_threads, initargs=(1,))

    def one(_: int) -> None:
        with torch.inference_mode():
            network(batch)

    def call() -> int:
        rounds: Iterable[int] = range(4 * evaluators)
        list(pool.map(one, rounds))
        return 4 * evaluators * len(batch) // views

    return call
