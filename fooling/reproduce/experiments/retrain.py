"""`retrain-mnist` and `retrain-cifar10`: does training on fooling images help (Nguyen, Yosinski & Clune 2015, sections
3.7 and 3.8, figures 11 and 12)? Each is one or several experiments of `fooling retrain`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fooling.api import beside
from fooling.confidence import format_confidence, log_distance
from fooling.present.markdown import table
from fooling.present.plots import TEXT, confidence_axis, dots, panels_of, png
from fooling.present.retrain.figures import figure
from fooling.reproduce.result import Claim, Figure, Result, Row, percent
from fooling.reproduce.workspace import Workspace
from fooling.studies.rank_tests import in_words, mann_whitney
from fooling.studies.retrain.measures import Round
from fooling.studies.retrain.plan import Plan
from fooling.studies.retrain.rounds import retrain

LEVEL = 0.9999
POINTS = 0.003  # by how much a retrained network may err more than the first
LONGER = 10  # times the generations
HEADS = (
    "experiment",
    "round",
    "fooling images",
    "test error",
    "median",
    "held out recognised",
    "new recognised",
)
CLASS_SIZES = ("1x", "7x")  # of the class "fooling" beside another, on CIFAR-10


def mnist(workspace: Workspace) -> Result:
    """Retrain on digits, as in figure 11: one experiment in full and three at a fifth of the size; at the quick scale the
    latter alone, with two rounds."""
    data, plans = workspace.mnist(), mnist_plans(workspace)
    found = {name: _done(workspace, data, name, plan) for name, plan in plans.items()}
    name, rounds = next(iter(found.items()))
    first, last = ([rounds[number] for rounds in found.values()] for number in (0, -1))
    longer = _longer(workspace, name, len(rounds) - 1)
    lowest = [min(one.median for one in rounds[1:]) for rounds in found.values()]
    more = [[a.accuracy.value - b.accuracy.value for b in rest] for a, *rest in found.values()]
    added = [errors[-1] for errors in more]
    rows = (
        Row.over(
            "median confidence against the first network", [one.median for one in first], paper="99.99 %"
        ),
        Row.over(
            "median confidence after the last retraining", [one.median for one in last], paper="99.99 %"
        ),
        Row.over("lowest median of any round", lowest, paper="99.99 %"),
        Row.over("test error of the first network", [one.error for one in first], _two, "0.94 %"),
        Row.over("test error after the last retraining", [one.error for one in last], _two, "about equal"),
        Row.over("errors added by the last retraining, in points", added, _points, "about none"),
        Row.over("most errors added by any retraining, in points", list(map(max, more)), _points),
        *_recognised(last),
        Row.over(f"median after the last, in {LONGER} times the generations", longer),
    )
    return Result(
        mnist_claims(lowest, longer, added, workspace.scale.generations),
        rows,
        tuple(_by_round(name, rounds) for name, rounds in found.items()),
        (_rounds_figure(workspace, name),),
        _table(found)
        + _MNIST_NOTES.format(first=rounds[1].fooling_images, steps=workspace.scale.pick(_STEPS, "")),
        {name: _numbers(rounds) for name, rounds in found.items()},
    )


def mnist_claims(
    lowest: Sequence[float], longer: Sequence[float], added: Sequence[float], generations: int
) -> tuple[Claim, ...]:
    """The paper's findings: every retrained network is fooled again, and the last errs no more on digits.

    Args:
        lowest: of each experiment, the lowest median of any retrained network.
        longer: medians in longer runs against the last network.
        added: of each experiment, the share of test images that the last network errs on more than the first.
    """
    fooled, good = min(lowest) >= LEVEL, max(added) <= POINTS
    return (
        Claim(
            "Every retrained network is fooled again at 99.99 %",
            fooled,
            f"{'Every retrained network is' if fooled else 'Not every retrained network is'} fooled again at a median of "
            f"99.99 % within {generations} generations: the lowest median is {format_confidence(min(lowest))}, and "
            f"{format_confidence(float(np.median(longer)))} is reached against the last network in {LONGER} times as many.",
        ),
        Claim(
            "Retrained networks err no more on digits",
            good,
            f"After the last retraining {'no' if good else 'a'} network errs on digits by more than 0.3 points above its "
            f"first ({_points(max(added))} at most).",
        ),
    )


def _longer(workspace: Workspace, name: str, number: int) -> tuple[float, ...]:
    """Median confidences of the digits in longer runs against an experiment's network of that round, a value a seed:
    is it fooled less, or later?"""
    network = _folder(workspace, name) / f"round-{number:02d}" / "network.json"
    runs = [
        workspace.run("mnist-cppn", seed, name=f"mnist-cppn-retrained-{name}-s{seed}", model=f"file:{network.absolute()}",
                       search__generations=LONGER * workspace.scale.generations)
        for seed in workspace.seeds
    ]  # fmt: skip
    return tuple(float(np.median(run.confidence[:-1])) for run in runs)  # the last class is "fooling"


_MNIST_NOTES = """
The paper took 20 images of each of 300 runs for the first retraining, 1,000 of 30 more for each of 14 others; here
runs give 100 images each, of several generations, and there are fewer rounds. The first line's first retraining has
{first:,} fooling images.{steps}
"""
_STEPS = (
    " A fifth is trained on for as many steps as all digits are, five times the epochs, shifted by up to two pixels each "
    "time, at a rate that falls to zero along half a cosine."
)


def mnist_plans(workspace: Workspace) -> dict[str, Plan]:
    """The plan of each experiment, by its name."""
    generations = (f"search.generations={workspace.scale.generations}",)
    if workspace.scale.quick:
        return {
            f"fifth-s{seed}": Plan(rounds=2, size=0.2, runs=5, seed=seed, assignments=generations)
            for seed in workspace.seeds
        }
    # Caffe's LeNet is trained for 10,000 steps, which is ten epochs of all digits, at a rate that never falls below half.
    # Ten epochs of a fifth leave the test error going up and down by a point. Fifty, and half a cosine, bring it to rest
    # at 1.8 %; then one network or another calls 0.3 % of the digits fooling. Shifts make up for the digits that a fifth
    # lacks: 1.0 %, as of all of them.
    fifths = {
        f"fifth-s{seed}": Plan(rounds=5, size=0.2, seed=seed, epochs=50, schedule="cosine", augmentation="shift",
                               assignments=generations)
        for seed in (1, 2, 3)
    }  # fmt: skip
    return {"full-s0": Plan(rounds=5, seed=0, assignments=generations), **fifths}


def cifar10(workspace: Workspace) -> Result:
    """Retrain on CIFAR-10, as in figure 12, with a class "fooling" as large as another and with one seven times as large,
    with three seeds."""
    data = workspace.cifar10()
    found: dict[str, list[list[Round]]] = {size: [] for size in CLASS_SIZES}
    for seed in range(3):
        like = None
        for size in reversed(CLASS_SIZES):  # the larger class holds the images of the smaller one
            name = f"cifar10-{size}-s{seed}"
            found[size].append(_done(workspace, data, name, cifar10_plan(workspace, size, seed), like))
            like = like or _folder(workspace, name)
    first = [rounds[0] for rounds in found["7x"]]
    last = {size: [rounds[1] for rounds in found[size]] for size in CLASS_SIZES}
    before = [one.median for one in first]
    after = {size: [one.median for one in last[size]] for size in CLASS_SIZES}
    rows = [Row.over("median confidence against the first network", before, paper="88.1 %")]
    for size, paper in zip(CLASS_SIZES, ("did not help", "11.7 %"), strict=True):
        rows.append(Row.over(f"median confidence, fooling class {size}", after[size], paper=paper))
    for size in CLASS_SIZES:
        rows += _recognised(last[size], f", {size}")
        rows.append(Row.over(f"test error, fooling class {size}", [one.error for one in last[size]], percent))
    rows.append(Row.over("test error of the first network", [one.error for one in first], percent))
    return Result(
        cifar10_claims(before, after),
        tuple(rows),
        _cifar10_tests(first, last),
        (Figure("medians", "The median confidence of every run: against the first network of each seed, and against those "
                "retrained with a fooling class of either size.", _medians(found)),
         _rounds_figure(workspace, "cifar10-7x-s0"),
        ),
        "The paper did this with 1,000 ImageNet classes, and 9,000 fooling images of 5 runs. The tests take runs as "
        "independent; those of one seed face the same network.",
        {size: [_numbers(rounds) for rounds in found[size]] for size in CLASS_SIZES},
    )  # fmt: skip


def _cifar10_tests(first: Sequence[Round], last: Mapping[str, Sequence[Round]]) -> tuple[str, ...]:
    names = {size: f"retrained with a fooling class {size}" for size in CLASS_SIZES}
    values = {size: np.concatenate([one.medians for one in last[size]]) for size in CLASS_SIZES}
    before = np.concatenate([one.medians for one in first])
    pairs = [(names[size], "the first ones", values[size], before) for size in CLASS_SIZES]
    pairs.append((names["7x"], f"those {names['1x']}", values["7x"], values["1x"]))
    return tuple(
        f"Runs against networks {name} beside runs against {other}, their medians: {in_words(mann_whitney(a, b))}."
        for name, other, a, b in pairs
    )


def cifar10_claims(before: Sequence[float], after: Mapping[str, Sequence[float]]) -> tuple[Claim, ...]:
    """The paper's findings, each where it holds in every seed: a fooling class of 7 times the size lowers the median,
    and much (it halves it), as one of the same size does not.

    Args:
        before: medians against the first networks, a value a seed.
        after: those against the retrained ones, by the fooling class's size.
    """

    def lowered(size: str, times: int = 1) -> bool:
        return all(b > times * a for a, b in zip(after[size], before, strict=True))

    medians = {size: format_confidence(float(np.median(values))) for size, values in after.items()}
    first = format_confidence(float(np.median(before)))
    return (
        Claim(
            "Retraining with a fooling class 7 times as large as another lowers the median",
            lowered("7x"),
            f"Evolution reaches a median of {first} against the first networks; with a fooling class 7x as large as another "
            f"{medians['7x']}, {'lower' if lowered('7x') else 'not lower'} in each seed.",
        ),
        Claim(
            "It does so by far, where a class as large as another does not",
            lowered("7x", 2) and not lowered("1x", 2),
            f"With a fooling class 1x as large as another it reaches {medians['1x']}, "
            f"{'lower' if lowered('1x') else 'not lower'} in each seed.",
        ),
    )


def cifar10_plan(workspace: Workspace, size: str, seed: int) -> Plan:
    """The plan of one experiment."""
    return Plan(
        rounds=1, first=size, per_run=200, size=workspace.scale.pick(1.0, 0.1), seed=seed,
        architecture="resnet-cifar", assignments=("search.generations=100",),
    )  # fmt: skip


def first_network(workspace: Workspace, plan: Plan) -> Path:
    """The file of an experiment's network of round 0 on CIFAR-10; the experiment is begun where it is missing."""
    path = _folder(workspace, f"cifar10-{plan.first}-s{plan.seed}")
    file = path / "round-00" / "network.json"
    if not file.exists():
        _done(workspace, workspace.cifar10(), path.name, plan)
    return file.absolute()


def _folder(workspace: Workspace, name: str) -> Path:
    return workspace.folder / "retrain" / name


def _done(workspace: Workspace, data: Path, name: str, plan: Plan, like: Path | None = None) -> list[Round]:
    """An experiment, or what is left of it."""
    workspace.say(f"retrain {name}")
    out, say = _folder(workspace, name), workspace.say
    return retrain(data, out, plan, warm_start_from=like, report=say, draw=figure, pages=beside)


def _recognised(last: Sequence[Round], suffix: str = "") -> list[Row]:
    """What the last networks call fooling."""
    titles = {
        "held_out": "older fooling images called fooling (held out)",
        "new": "new ones, evolved against it",
    }
    known = [one.recognised for one in last if one.recognised is not None]
    return [
        Row.over(title + suffix, [getattr(one, kind).value for one in known], percent)
        for kind, title in titles.items()
    ]


def _by_round(name: str, rounds: Sequence[Round]) -> str:
    test = in_words(mann_whitney(rounds[-1].medians, rounds[0].medians))
    return f"{name}: medians of runs against the last network beside those against the first: {test}."


def _table(found: dict[str, list[Round]]) -> str:
    rows = []
    for name, rounds in found.items():
        for one in rounds:
            known = one.recognised
            rows.append((
                name, one.number, f"{one.fooling_images:,} of {one.training_images:,}",
                _two(one.error), format_confidence(one.median),
                percent(known.held_out.value) if known else "–", percent(known.new.value) if known else "–",
            ))  # fmt: skip
    return table(HEADS, rows)


def _rounds_figure(workspace: Workspace, name: str) -> Figure:
    return Figure(
        f"rounds-{name}",
        f"The rounds of {name}: test error, confidence, what is called fooling, and elites of each round.",
        (_folder(workspace, name) / "retrain.png").read_bytes(),
    )


def _medians(found: dict[str, list[list[Round]]]) -> bytes:
    figure, axes = panels_of(1, 1, 7, 4)
    groups = [("first", found["7x"], 0), *((f"retrained, {size}", found[size], 1) for size in CLASS_SIZES)]
    for place, (_, experiments, number) in enumerate(groups):
        for seed, rounds in enumerate(experiments):
            label = None if place else f"seed {seed}"
            dots(axes, place + 0.2 * (seed - 1), log_distance(rounds[number].medians), seed, label, 0.16)
    axes.set_xticks(range(len(groups)), [name for name, _, _ in groups])
    confidence_axis(axes, "median confidence of a run")
    figure.legend(loc="outside upper left", ncols=3, frameon=False, fontsize=TEXT)
    return png(figure)


def _numbers(rounds: Sequence[Round]) -> list[dict[str, Any]]:
    return [
        {
            "round": one.number,
            "fooling_images": one.fooling_images,
            "training_images": one.training_images,
            "accuracy": one.accuracy.value,
            "median": one.median,
            "medians": one.medians.tolist(),
            "held_out": one.recognised.held_out.value if one.recognised else None,
            "new": one.recognised.new.value if one.recognised else None,
        }
        for one in rounds
    ]


def _two(value: float) -> str:
    return f"{100 * value:.2f} %"


def _points(value: float) -> str:
    return f"{100 * value:+.2f}"
