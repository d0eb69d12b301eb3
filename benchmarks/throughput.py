"""How much of a generation is the classifier's forward pass?

    python -m benchmarks.throughput [--quick] [--cores 2]

`fooling.bench.throughput` on small and large networks: evaluations/s of whole generations over images/s of
the bare forward pass in its fastest usual form, in turns in one process, elites bred first. The ratio is of the
medians over rounds; the spread is of the rounds' own ratios. On a machine that others use too, rounds differ
by more than what is measured: the ratio of each side's fastest round, the least disturbed one, stands beside.
"""

from __future__ import annotations

import argparse
from typing import Any, NamedTuple

from benchmarks.report import arguments, assets, parser, save
from benchmarks.zoo import network
from fooling import bench
from fooling.config import resolve
from fooling.present.markdown import table as markdown


class Case(NamedTuple):
    """A network, an encoding, and how many generations are bred before measuring.

    Attributes:
        goal: the ratio that it must reach.
        model: a spec, or the name of a network of the assets.
        size: of the images, where the model is the assets'.
        rounds: of the largest networks take a quarter of a minute each: fewer of them.
    """

    goal: float
    model: str
    encoding: str
    generations: int
    size: int | None = None
    rounds: int = 25


CASES = {
    "mnist-cppn": Case(0.70, "builtin:lenet", "cppn", 200),
    "mnist-direct": Case(0.82, "builtin:lenet", "direct", 200),
    "squeezenet, 256x256 CPPN": Case(0.90, "squeezenet_v11", "cppn", 200, 256, 15),
    "squeezenet, 256x256 direct": Case(0.93, "squeezenet_v11", "direct", 200, 256, 15),
    "mcunet, 128x128 CPPN": Case(0.75, "mcunet_5fps_128", "cppn", 200, 128),
}


def measure(case: Case, quick: bool = False) -> dict[str, Any]:
    """What `fooling.bench.throughput` returns for a case, and each round's ratio."""
    classifier = network(case.model, case.size) if case.size else None
    settings = resolve(None, [], {"encoding.name": case.encoding})
    generations, rounds = (min(case.generations, 10), 1) if quick else (case.generations, case.rounds)
    result = bench.throughput(settings, generations, rounds, classifier=classifier, breeding_seconds=1800)
    forward = result["rounds"][result["forward_form"]]
    ratios = [a / b for a, b in zip(result["rounds"]["generation"], forward, strict=True)]
    fastest = max(result["rounds"]["generation"]) / max(
        max(rates) for name, rates in result["rounds"].items() if name != "generation"
    )
    return {**result, "goal": case.goal, "ratios": ratios, "ratio_of_fastest": fastest}


def row(name: str, result: dict[str, Any]) -> list[str]:
    """A line of the table."""
    stages = ", ".join(f"{stage} {value:,.1f}" for stage, value in result["stages"].items())
    return [
        name,
        f"{result['forward_images_per_second']:,.0f}",
        result["forward_form"].removeprefix("forward, "),
        f"{result['evaluations_per_second']:,.0f}",
        f"{result['ratio']:.2f} ({min(result['ratios']):.2f} to {max(result['ratios']):.2f})",
        f"{result['ratio_of_fastest']:.2f}",
        f"{result['goal']:.2f}",
        stages,
    ]


HEAD = ("run", "forward pass, images/s", "its fastest form", "generations, evaluations/s",
        "ratio", "of the fastest rounds", "at least", "microseconds an image, one thread")  # fmt: skip


def main(given: argparse.Namespace) -> None:
    """Measure all cases that there are networks for."""
    cases = {name: case for name, case in CASES.items() if case.size is None or assets()}
    if len(cases) < len(CASES):
        print("no assets (set FOOLING_ASSETS): the large networks are left out")
    if given.quick:
        cases = {name: case for name, case in cases.items() if case.rounds == Case._field_defaults["rounds"]}
    results = {name: measure(case, given.quick) for name, case in cases.items()}
    table = markdown(HEAD, [row(name, result) for name, result in results.items()])
    save("throughput", results, {"Whole generations beside the bare forward pass": table}, given.quick)


if __name__ == "__main__":
    main(arguments(parser(__doc__)))
