"""What is it worth that generations are begun ahead of the one before?

    python -m benchmarks.ahead [--quick] [--cores 2]

The same LeNet runs three ways, in turns in one process: one generation after the other, looking ahead
(`fooling.search.ahead`), and with one evaluator that uses all cores. Elites are bred first, and the archives of all
three are compared, bit for bit, before anything is timed. The bare forward pass, one call on all cores, stands beside.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Callable
from typing import Any

from benchmarks.report import arguments, interleaved, parser, save, spread
from fooling import bench
from fooling.config import resolve
from fooling.report.markdown import table as markdown
from workers.local import usable_cores

FORWARD, EACH, AHEAD, WHOLE = (
    "forward pass",
    "one after the other",
    "looking ahead",
    "one evaluator, all cores",
)
CASES = [(encoding, size) for encoding in ("cppn", "direct") for size in (50, 100, 200, 400)]
BRED = 300  # generations: until few change the archive


def measure(encoding: str, size: int, generations: int, rounds: int) -> dict[str, Any]:
    """Images/s of each way of running generations of a size, and of the bare forward pass."""
    ways: dict[str, dict[str, Any]] = {
        EACH: {"looks_ahead": False},
        AHEAD: {},
        WHOLE: {"flags": {"run.threads": usable_cores(), "run.evaluators": 1}},
    }
    benches = {name: prepared(encoding, size, generations, **way) for name, way in ways.items()}
    try:
        digests = {name: one.archive.digest() for name, one in benches.items()}
        assert len(set(digests.values())) == 1, f"archives differ: {digests}"
        forms = bench.forward_forms(benches[EACH].classifier, usable_cores())
        calls: dict[str, Callable[[int], float]] = {
            FORWARD: lambda _: bench.rate(forms["forward, channels-last, one call on all cores"])
        }
        for name, one in benches.items():
            calls[name] = lambda _, one=one: one.pace()  # type: ignore[misc]
        return {"encoding": encoding, "population": size, "rates": interleaved(calls, rounds)}
    finally:
        for one in benches.values():
            one.executor.close()


def prepared(
    encoding: str, size: int, generations: int, looks_ahead: bool = True, flags: dict[str, Any] | None = None
) -> bench.Bench:
    """A search with elites bred for it."""
    settings = resolve(None, [], {"encoding.name": encoding, "search.population": size, **(flags or {})})
    return bench.prepare(settings, generations, looks_ahead=looks_ahead)


def row(case: dict[str, Any]) -> list[str]:
    """A line of the table."""
    rates = case["rates"]
    medians = {name: statistics.median(values) for name, values in rates.items()}
    shares = [f"{medians[name] / medians[FORWARD]:.2f}" for name in (EACH, AHEAD, WHOLE)]
    return [
        f"{case['encoding']}, {case['population']}",
        spread(rates[FORWARD]),
        *(spread(rates[name]) for name in (EACH, AHEAD, WHOLE)),
        ", ".join(shares),
        f"{medians[AHEAD] / medians[EACH]:.2f}",
    ]


HEAD = ("encoding, size of a generation", FORWARD, EACH, AHEAD, WHOLE, "the three beside the forward pass",
        "looking ahead beside one after the other")  # fmt: skip


def main(given: argparse.Namespace) -> None:
    """All sizes."""
    generations, rounds = (10, 1) if given.quick else (BRED, 15)
    cases = [measure(*case, generations, rounds) for case in CASES]
    table = markdown(HEAD, [row(case) for case in cases])
    save("ahead", {"cases": cases}, {"Images/s of whole generations, LeNet": table}, given.quick)


if __name__ == "__main__":
    main(arguments(parser(__doc__)))
