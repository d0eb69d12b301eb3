"""This project beside neat-python + DEAP, pyribs and EvoTorch.

    python -m benchmarks.peers [--quick] [--cores 2]

Two questions, each answered in turns within one process, after checks that both sides compute the same:

1. Apart from the classifier, what does an evaluation cost, beside neat-python + DEAP? Both breed from the same
   elites with one evaluator, and the clock stops while the classifier works.
2. After the same number of evaluations on the same LeNet, how sure is it of each digit, and how long did it
   take? Ours is the whole of `fooling.run`: check, search, checkpoints, images and gallery. One evaluator
   measures all: 8-bit pixels, a digit that wasn't found counts 0.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

import fooling
from benchmarks.peers import common, neat_deap
from benchmarks.report import arguments, interleaved, parser, save, spread
from fooling import bench
from fooling.config import resolve
from fooling.present.markdown import table as markdown
from workers.local import usable_cores

EVALUATIONS = 40_200  # of the ready-made MNIST configs
POPULATION = 200


def overheads(encoding: str, generations: int, repeats: int, theirs: int) -> dict[str, Any]:
    """Evaluations/s apart from the classifier, ours and those of neat-python + DEAP.

    Args:
        generations: bred before measuring.
        theirs: evaluations of the peer in each repeat.
    """
    flags = {"encoding.name": encoding, "run.evaluators": 1}
    bred = bench.prepare(resolve("mnist-" + encoding, [], flags), generations)
    try:
        peer = (neat_deap.cppn_peer if encoding == "cppn" else neat_deap.direct_peer)(bred)
        checks = neat_deap.check(bred, peer)
        classify, paused = bred.classifier.classify, [0.0]

        def timed(pixels: Any) -> Any:
            began = time.perf_counter()
            confidences = classify(pixels)
            paused[0] += time.perf_counter() - began
            return confidences

        bred.toolbox.register("classify", timed)

        def ours(_: int) -> float:
            began, before, images = time.perf_counter(), paused[0], 0
            for _ in range(20):
                images += bred.step()
            return images / (time.perf_counter() - began - (paused[0] - before))

        calls = {
            "fooling": ours,
            "neat-python + DEAP": lambda repeat: theirs / peer.overhead(theirs, repeat),
        }
        rates = interleaved(calls, repeats)
    finally:
        bred.executor.close()
    medians = {name: statistics.median(values) for name, values in rates.items()}
    times = medians["fooling"] / medians["neat-python + DEAP"]
    return {"evaluations_per_second": rates, "times_as_fast": times, "checks": checks}


def runs(evaluations: int, repeats: int) -> dict[str, list[dict[str, Any]]]:
    """Time and confidences of whole searches: name -> one result per seed."""
    classifier = common.lenet()
    probabilities = common.bare(classifier)
    calls: dict[str, Callable[[int], common.Found]] = {
        f"fooling, {encoding}": partial(ours, encoding, evaluations) for encoding in ("direct", "cppn")
    }
    if ribs := common.optional("ribs"):
        from benchmarks.peers import pyribs

        pyribs.check_archives_agree(ribs)
        for batch in (pyribs.TUTORIAL_BATCH, POPULATION):
            search = partial(pyribs.search, ribs, probabilities, evaluations, batch)
            calls[f"pyribs, batches of {batch}"] = on_all_cores(search)
    if module := common.optional("evotorch"):
        from benchmarks.peers import evotorch

        calls["EvoTorch"] = on_all_cores(partial(evotorch.search, module, probabilities, evaluations))
    ours("cppn", POPULATION, 0)  # kernels compiled, libraries warm
    found = interleaved(calls, repeats)
    return {name: [result(each, classifier) for each in each_seed] for name, each_seed in found.items()}


def on_all_cores(search: Callable[[int], common.Found]) -> Callable[[int], common.Found]:
    """A peer's search with all cores for its forward passes (our evaluators leave torch at one thread)."""

    def call(seed: int) -> common.Found:
        torch.set_num_threads(usable_cores())
        return search(seed)

    return call


def ours(encoding: str, evaluations: int, seed: int) -> common.Found:
    """A whole run with a ready-made config."""
    flags = {"seed": seed, "search.generations": evaluations // POPULATION - 1}
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        run = fooling.run(f"mnist-{encoding}", out=Path(folder) / "run", flags=flags)
        seconds = time.perf_counter() - began
    images = run.archive.pixels[run.stored_rows].astype(np.float64)[..., 0] / 255
    claimed = {digit: float(confidence) for digit, confidence in enumerate(run.confidence)}
    return common.Found(seconds, run.evaluations, dict(enumerate(images)), claimed)


def result(found: common.Found, classifier: Any) -> dict[str, Any]:
    """A search in plain numbers."""
    confidences = common.evaluate(found, classifier)
    return {
        "seconds": found.seconds,
        "evaluations": found.evaluations,
        "digits": len(found.images),
        "mean_confidence": float(confidences.mean()),
        "mean_of_digits_found": float(confidences[list(found.images)].mean()),
        "claimed": {int(digit): value for digit, value in found.claimed.items()},
        "confidences": confidences.tolist(),
    }


def overhead_table(found: dict[str, dict[str, Any]]) -> str:
    """Question 1."""
    rows = []
    for encoding, values in found.items():
        rates = [spread(each) for each in values["evaluations_per_second"].values()]
        rows.append([encoding, *rates, f"{values['times_as_fast']:,.0f}"])
    return markdown(("encoding", "fooling, evaluations/s", "neat-python + DEAP", "times as fast"), rows)


def run_table(found: dict[str, list[dict[str, Any]]]) -> str:
    """Question 2."""
    rows = []
    for name, each_seed in found.items():
        column = {key: [each[key] for each in each_seed] for key in each_seed[0]}
        rows.append(
            [
                name,
                f"{column['evaluations'][0]:,}",
                spread(column["seconds"], ".2f"),
                f"{statistics.median(column['evaluations']) / statistics.median(column['seconds']):,.0f}",
                spread(column["digits"], "g"),
                spread(column["mean_confidence"], ".5f"),
                spread(column["mean_of_digits_found"], ".5f"),
            ]
        )
    head = ("search", "evaluations", "seconds", "evaluations/s", "digits found", "mean confidence of ten digits",
            "of those found")  # fmt: skip
    return markdown(head, rows)


def main(given: argparse.Namespace) -> None:
    """Both questions."""
    quick = given.quick
    costs = {
        encoding: overheads(encoding, 20 if quick else 200, 2 if quick else 7, 40 if quick else 200)
        for encoding in ("cppn", "direct")
    }
    searches = runs(4_200 if quick else EVALUATIONS, 1 if quick else 5)
    tables = {
        "Apart from the classifier, one evaluator": overhead_table(costs),
        "Whole searches on the same LeNet": run_table(searches),
    }
    save("peers", {"overheads": costs, "runs": searches}, tables, quick)


if __name__ == "__main__":
    main(arguments(parser(__doc__)))
