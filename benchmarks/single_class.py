"""What does it gain to evolve all classes at once? MAP-Elites beside single-class evolution, as many images each.

    python -m benchmarks.single_class [--seeds 5] [--data FOLDER] [--runs FOLDER]

Digits against builtin:lenet, both encodings. Single-class evolution (DEAP, neat-python) gets the best of some
population sizes, which are tried with seeds of their own first. Writes docs/results/single-class.md, .json and
two figures. With --runs, runs that are in that folder already are read.
"""

from __future__ import annotations

import argparse
import io
import statistics
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

import fooling
from benchmarks.report import ROOT, assets, machine
from fooling.confidence import format_confidence, nines
from fooling.files import json_bytes
from fooling.present.compare.figures import figures
from fooling.present.markdown import table as markdown
from fooling.store.view import RunView, open_run
from fooling.studies.compare.comparison import Comparison, Pair, Run, compare
from fooling.studies.compare.document import document
from fooling.studies.compare.images import read_training
from fooling.studies.rank_tests import in_words

ENCODINGS = ("cppn", "direct")
# Population sizes that were tried for each encoding, with seeds that the comparison doesn't use.
POPULATIONS = {"cppn": (5, 20, 60, 134), "direct": (2, 3, 5, 10, 20, 60)}
TRIAL_SEEDS = (100, 101, 102)
PAGE = ROOT / "docs" / "results" / "single-class"


def run(folder: Path, config: str, seed: int, population: int | None = None) -> RunView:
    """A run, or the one that is there."""
    out = folder / "-".join(str(part) for part in (config, population, seed) if part is not None)
    if out.exists():
        return open_run(out)
    settings = [] if population is None else [f"search.population={population}", f"run.batch={population}"]
    made = fooling.run(config, out=out, assignments=settings, flags={"seed": seed})
    print(out.name, f"{np.median(made.confidence):.7f}", f"{made.seconds:.0f} s", flush=True)
    return open_run(out)


def trial(folder: Path, encoding: str, population: int) -> list[Any]:
    """A line of the table of population sizes."""
    runs = [run(folder, f"mnist-{encoding}-single", seed, population) for seed in TRIAL_SEEDS]
    medians = [float(np.median(one.confidence.astype(float))) for one in runs]
    mean = float(np.mean([nines(one.confidence) for one in runs]))
    again = sum(sum(event["judged_again"] for event in one.curve) for one in runs)
    return [
        encoding,
        population,
        f"{runs[0].evaluations:,}",
        f"{again / sum(one.evaluations for one in runs):.0%}",
        format_confidence(statistics.median(medians)),
        format_confidence(min(float(one.confidence.min()) for one in runs)),
        f"{mean:.2f}",
    ]


TRIALS = ("encoding", "population", "images", "of these, seen before", "median, median seed", "lowest of all", "mean nines")  # fmt: skip


def row(comparison: Comparison, number: int) -> list[str]:
    """A line of the table of results."""
    runs = comparison.of(number)
    medians = [float(np.median(one.confidence)) for one in runs]
    return [
        comparison.groups[number].name,
        str(len(runs)),
        f"{runs[0].trajectory.passes:,.0f}",
        format_confidence(statistics.median(medians)),
        format_confidence(min(medians)),
        format_confidence(min(float(one.confidence.min()) for one in runs)),
        f"{statistics.median(int((one.confidence >= np.float32(0.9999)).sum()) for one in runs):g} of 10",
        f"{statistics.median(one.trajectory.seconds for one in runs):.1f}",
    ]


RESULTS = ("search, encoding", "seeds", "images", "median, median seed", "median, worst seed", "lowest elite", "classes at 0.9999", "seconds")  # fmt: skip


def image_row(comparison: Comparison, number: int) -> list[str]:
    """A line of the table of image statistics."""
    runs = comparison.of(number)
    keys = [key for key, _ in IMAGES if key in runs[0].statistics]
    values = [float(np.nanmedian([one.statistics[key] for one in runs])) for key in keys]
    return [comparison.groups[number].name, *(f"{value:.3g}" for value in values)]


IMAGES = (
    ("grey_distance", "distance to grey"),
    ("total_variation", "total variation"),
    ("png_bytes", "PNG bytes"),
    ("training_distance", "distance to the nearest training digit"),
)

# Shares of the budget at which the medians are told too.
SHARES = (0.05, 0.1, 0.25, 0.5, 1.0)


def way(comparison: Comparison, number: int) -> list[str]:
    """A line of the table of medians on the way."""
    runs = comparison.of(number)

    def at(one: Run, share: float) -> float:
        return float(np.median(one.confidence_at(share * one.trajectory.passes)))

    cells = [format_confidence(statistics.median(at(one, share) for one in runs)) for share in SHARES]
    return [comparison.groups[number].name, *cells]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--data", type=Path, help="the IDX files of MNIST (default: the assets')")
    parser.add_argument("--runs", type=Path, help="keep the runs in this folder")
    given = parser.parse_args()
    data = given.data or ((folder := assets()) and folder / "mnist")
    with tempfile.TemporaryDirectory() as temporary:
        kept = given.runs or Path(temporary)
        configs = [f"mnist-{encoding}{suffix}" for encoding in ENCODINGS for suffix in ("", "-single")]
        views = [run(kept, config, seed) for config in configs for seed in range(given.seeds)]
        trials = [trial(kept, encoding, size) for encoding, sizes in POPULATIONS.items() for size in sizes]
    comparison = compare(views, read_training(data) if data else None)
    found = document(comparison, {})
    for one in found["runs"]:
        one["run"] = one["name"]  # where it lay says nothing to others
    if found["training"]:
        found["training"]["folder"] = "mnist"
    tried = [dict(zip(TRIALS, line, strict=True)) for line in trials]
    PAGE.with_suffix(".json").write_bytes(json_bytes({"machine": facts(), "trials": tried, **slim(found)}))
    pictures = dict(figures(comparison))
    for name in ("confidence", "classes"):
        picture = Image.open(io.BytesIO(pictures[f"{name}.png"])).convert("RGB")
        picture.save(PAGE.with_name(f"single-class-{name}.webp"), "WEBP", lossless=True, method=6)
    PAGE.with_suffix(".md").write_text(page(comparison, trials))


def facts() -> dict[str, Any]:
    """The machine, with the command that anyone would give."""
    return {**machine(), "command": "python -m benchmarks.single_class"}


def slim(found: dict[str, Any]) -> dict[str, Any]:
    """Without curves and staircases, which are most of it."""
    runs = [
        {key: value for key, value in one.items() if key not in ("curves", "classes")}
        for one in found["runs"]
    ]
    return {**found, "runs": runs}


def page(comparison: Comparison, trials: Sequence[Sequence[Any]]) -> str:
    """docs/results/single-class.md."""
    at = facts()
    numbers = range(len(comparison.groups))
    columns = [title for key, title in IMAGES if key in comparison.runs[0].statistics]

    def table(head: Sequence[str], line: Callable[[Comparison, int], list[str]]) -> str:
        return markdown(head, [line(comparison, number) for number in numbers])

    return f"""# All classes at once, or each for itself?

Written by `{at["command"]}`; all numbers are in
[single-class.json](single-class.json), made by `fooling.studies.compare` as `fooling compare` makes them.

Digits against `builtin:lenet`: MAP-Elites, where each image competes for all ten classes, beside
[single-class evolution](../single-class.md), where each class has {comparison.common / 10:,.0f} images for
itself: {comparison.common:,.0f} images in all, either way. The baseline has the population sizes that did best in
the table at the end of this page, MAP-Elites its ready-made settings, untuned.

{table(RESULTS, row)}
"Median" is over the ten classes. Seconds are of search, on {at["cores"]} cores of {at["device"]} (shared with
other work): MAP-Elites has 200 images a generation to share among cores and forward passes of 50, the baseline
3 (direct) or 60 (CPPNs), and its libraries breed in plain Python.

![Median confidence against forward passes and against time](single-class-confidence.webp)

The baseline's classes are drawn side by side, as if each had had its share at each moment. On the way to the
whole budget the medians are:

{markdown(("search, encoding", *(f"{share:.0%} of the images" for share in SHARES)), [way(comparison, n) for n in numbers])}
## Is the difference more than luck?

{verdicts(comparison)}

The test of runs is between the medians of the runs, the test of classes between the ten classes, each the median
over its runs, counted in nines (its n is of the classes that differ); both are two-sided and exact, and not
corrected for there being two encodings.

More than the sharing of images differs: the baseline is another algorithm. For direct images the operator is nearly
the same (DEAP's mutation knows the bounds, ours clips at them), so what is compared is mostly how parents are
chosen. For CPPNs NEAT adds crossover, speciation and one connection per pair of nodes; what it loses by
these is not told apart from what it loses by evolving each class alone.

![The confidence of each class in each run](single-class-classes.webp)

## The images

{table(("search, encoding", *columns), image_row)}
Medians over classes and runs; root mean square distances in [0, 1].{usual(comparison)}

## Population sizes

Tried with seeds of their own ({", ".join(map(str, TRIAL_SEEDS))}), {len(TRIAL_SEEDS)} runs each; "nines" are
-log10(1 - confidence), their mean is over all classes and runs. neat-python judges the best of each species again
in each generation: those images are part of its budget.

{markdown(TRIALS, trials)}"""


def verdicts(comparison: Comparison) -> str:
    """The tests of MAP-Elites against the baseline, encoding by encoding."""
    return "\n".join(
        _verdict(comparison, pair) for pair in comparison.pairs if _same_encoding(comparison, pair)
    )


def _verdict(comparison: Comparison, pair: Pair) -> str:
    a, b = (comparison.groups[number].name for number in pair.groups)
    runs = f"runs: {in_words(pair.runs)}; " if pair.runs else ""
    return f"- **{a}** beside **{b}**: {runs}classes: {in_words(pair.classes)}."


def _same_encoding(comparison: Comparison, pair: Pair) -> bool:
    encodings = {comparison.of(number)[0].view.settings.encoding.name for number in pair.groups}
    return len(encodings) == 1


def usual(comparison: Comparison) -> str:
    """What distance is usual, for scale."""
    training = comparison.training
    return (
        f" Digits of the test set are {training.usual:.3f} from the nearest training digit."
        if training
        else ""
    )


if __name__ == "__main__":
    main()
