"""How much of a gradient step is the classifier's forward and backward pass?

    python -m benchmarks.ascent [--quick] [--cores 2]

A step of a batch of 64 climbs (the task `climb` as a run computes it: rounding, pass, record, step, projection),
without regulariser and with each of them, over the bare forward and backward pass of the same network to the same
batch, both on one thread, in turns in one process. Times are the process's own on the processor, so that what else
the machine does counts little. The ratio is the median of the rounds' own; that of each side's fastest round, the
least disturbed one, stands beside. A task is of 25 steps; its share of setting up and of the confirming pass is in
the step.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from benchmarks.report import arguments, assets, interleaved, parser, save
from benchmarks.zoo import network
from cppn.keys import Keys
from fooling import classifiers
from fooling.classifiers import Classifier, Numerics
from fooling.present.markdown import table as markdown
from fooling.search.ascent.task import Ascent, Climbs, climb
from fooling.search.settings import GradientAscentSettings
from workers.allocator import keep_freed_memory
from workers.host import Host

BATCH, STEPS, GOAL = 64, 25, 1.15
SETTINGS: dict[str, dict[str, Any]] = {
    "no regulariser": {},
    "L2": {"decay": 0.01},
    "L2, blur": {"decay": 0.001, "blur_radius": 0.5},
    "L2, blur, clipping": {
        "decay": 0.001,
        "blur_radius": 0.5,
        "small_norm": 20.0,
        "small_contribution": 20.0,
    },
    "total variation": {"total_variation": 0.001},
    "jitter": {"jitter": 4},
    "no regulariser, Adam": {"rule": "adam"},
}


def bare(classifier: Classifier) -> Callable[[int], float]:
    """Seconds of a forward and backward pass of the network to a batch that is there."""
    shape = (BATCH, *classifier.spec.input_shape)
    images = torch.rand(shape).to(memory_format=classifier.numerics.memory_format)
    module, preprocess = classifier.network, classifier.preprocess
    rows = torch.arange(BATCH)

    def passes(repeat: int) -> float:
        began = time.process_time()
        for _ in range(STEPS):
            batch = images.detach().requires_grad_()
            outputs = module(preprocess(batch))
            torch.autograd.grad(outputs[rows, rows % outputs.shape[1]].sum(), batch)
        return (time.process_time() - began) / STEPS

    return passes


def ascent(classifier: Classifier, values: dict[str, Any]) -> Callable[[int], float]:
    """Seconds of a step, in a task of STEPS."""
    classes = len(classifier.labels)
    settings = GradientAscentSettings(steps=10 * STEPS, **values).resolved(None, classes)
    shape = classifier.spec.image_shape
    targets = np.arange(BATCH, dtype=np.int64) % classes
    keys = Keys.of_generation(0, 0, BATCH)
    climbs = Climbs(keys, targets, np.full(BATCH, -1, np.float32), None, None)
    host = Host(None, classifier)
    first = climb(host, Ascent(settings, 0, 0, shape, None), climbs)
    going = Climbs(keys, targets, first.records.best_confidence, first.images, first.moments)
    shared = Ascent(settings, 1, STEPS, shape, None)

    def task(repeat: int) -> float:
        began = time.process_time()
        climb(host, shared, going)
        return (time.process_time() - began) / STEPS

    return task


def measure(classifier: Classifier, rounds: int, all_settings: bool) -> dict[str, list[float]]:
    """Seconds of each round, by what was measured."""
    chosen = SETTINGS if all_settings else {"no regulariser": {}}
    calls = {"bare": bare(classifier), **{name: ascent(classifier, v) for name, v in chosen.items()}}
    interleaved(calls, 1)  # threads, kernels and memory are there then
    return interleaved(calls, rounds)


def rows(name: str, found: dict[str, list[float]]) -> list[list[str]]:
    """The table's lines of a network."""
    base = found["bare"]
    lines = []
    for title, seconds in found.items():
        if title == "bare":
            continue
        ratios = [a / b for a, b in zip(seconds, base, strict=True)]
        lines.append(
            [
                name,
                title,
                f"{1000 * statistics.median(base):.1f}",
                f"{1000 * statistics.median(seconds):.1f}",
                f"{statistics.median(ratios):.3f} ({min(ratios):.2f} to {max(ratios):.2f})",
                f"{min(seconds) / min(base):.3f}",
            ]
        )
    return lines


HEAD = ("network", "step", "bare forward + backward, ms", "step, ms", "ratio", "of the fastest rounds")


def main(given: argparse.Namespace) -> None:
    """Measure all networks that there are."""
    torch.set_num_threads(1)
    keep_freed_memory()
    numerics = Numerics(batch=BATCH)
    cases = {"builtin:lenet": classifiers.load("builtin:lenet", numerics=numerics)}
    if assets():
        for name in ("mcunet_5fps_128", "squeezenet_v11"):
            cases[name] = network(name).with_numerics(numerics)
    result, lines = {}, []
    for name, classifier in cases.items():
        rounds = 1 if given.quick else (25 if name == "builtin:lenet" else 7 if "mcunet" in name else 3)
        found = measure(classifier, rounds, all_settings="squeezenet" not in name and not given.quick)
        result[name] = found
        lines += rows(name, found)
    note = f"The goal is {GOAL} for a step without regulariser.\n"
    save("ascent", {"seconds": result, "goal": GOAL}, {"Gradient steps": markdown(HEAD, lines) + "\n" + note}, given.quick)  # fmt: skip


if __name__ == "__main__":
    main(arguments(parser(__doc__)))
