"""`retrain-mnist` and `retrain-cifar10`: does training on fooling images help (Nguyen, Yosinski & Clune 2015, sections
3.7 and 3.8, figures 11 and 12)? Each is one or several experiments of `fooling retrain`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fooling.api import beside
from fooling.confidence import format_confidence, nines
from fooling.errors import Interrupted
from fooling.present.markdown import table
from fooling.present.plots import TEXT, colour, confidence_axis, panels_of, png
from fooling.present.retrain.figures import figure
from fooling.reproduce.result import Figure, Result, Row, Verdict, percent, spread
from fooling.reproduce.workspace import Stopped, Workspace
from fooling.studies.rank_tests import in_words, mann_whitney
from fooling.studies.retrain.measures import Round
from fooling.studies.retrain.plan import Plan
from fooling.studies.retrain.rounds import retrain

LEVEL = 0.9999
POINTS = 0.003  # by how much a retrained network may err more than the first
LONGER = 10  # times the generations
CLASS_SIZES = ("1x", "7x")  # of the class "fooling" beside another, on CIFAR-10


def mnist(workspace: Workspace) -> Result:
    """Figure 11: one experiment in full and three at a fifth of the size; quick, the latter alone, of two rounds."""
    data, plans = workspace.mnist(), mnist_plans(workspace)
    found = {name: _done(workspace, data, name, plan) for name, plan in plans.items()}
    rounds = next(iter(found.values()))
    medians = [_spread_medians(found, number) for number in (0, -1)]
    lowest = tuple(min(one.median for one in rounds[1:]) for rounds in found.values())
    more = tuple(
        max(rounds[0].accuracy.value - one.accuracy.value for one in rounds[1:]) for rounds in found.values()
    )
    added = tuple(rounds[0].accuracy.value - rounds[-1].accuracy.value for rounds in found.values())
    errors = [tuple(1 - rounds[number].accuracy.value for rounds in found.values()) for number in (0, -1)]
    rows = (
        Row("median confidence against the first network", "99.99 %", spread(medians[0]), medians[0]),
        Row("median confidence after the last retraining", "99.99 %", spread(medians[1]), medians[1]),
        Row("lowest median of any round", "99.99 %", spread(lowest), lowest),
        Row("test error of the first network", "0.94 %", spread(errors[0], _two), errors[0]),
        Row("test error after the last retraining", "about equal", spread(errors[1], _two), errors[1]),
        Row("errors added by the last retraining, in points", "about none", spread(added, _points), added),
        Row("most errors added by any retraining, in points", "–", spread(more, _points), more),
        *_recognised(found),
    )
    longer = _longer(workspace, next(iter(found)), len(rounds) - 1)
    rows += (Row(f"median after the last, in {LONGER} times the generations", "–", spread(longer), longer),)
    fooled, good = min(lowest) >= LEVEL, max(added) <= POINTS
    return Result(
        "reproduced" if fooled and good else "partly" if fooled or good else "not reproduced",
        f"{'Every retrained network is' if fooled else 'Not every retrained network is'} fooled again at a median of "
        f"99.99 % within {workspace.scale.generations} generations: the lowest median is "
        f"{format_confidence(min(lowest))}, and {format_confidence(float(np.median(longer)))} is reached against the "
        f"last network in {LONGER} times as many. After the last retraining {'no' if good else 'a'} network errs on digits "
        f"by more than 0.3 points above its first ({_points(max(added))} at most).",
        rows,
        tuple(_by_round(name, rounds) for name, rounds in found.items()),
        (_rounds_figure(workspace, next(iter(found))),),
        _table(found)
        + _MNIST_NOTES.format(first=rounds[1].fooling_images, steps=workspace.scale.pick(_STEPS, "")),
        {name: _numbers(rounds) for name, rounds in found.items()},
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
    """Name -> experiment."""
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
        f"fifth-s{seed}": Plan(
            rounds=5,
            size=0.2,
            seed=seed,
            epochs=50,
            schedule="cosine",
            augmentation="shift",
            assignments=generations,
        )
        for seed in (1, 2, 3)
    }
    return {"full-s0": Plan(rounds=5, seed=0, assignments=generations), **fifths}


def cifar10(workspace: Workspace) -> Result:
    """Figure 12, on CIFAR-10: a class "fooling" as large as another, and seven times as large; three seeds."""
    data = workspace.cifar10()
    found: dict[str, list[list[Round]]] = {size: [] for size in CLASS_SIZES}
    for seed in range(3):
        like = None
        for size in reversed(CLASS_SIZES):  # the larger harvest holds the smaller one
            name = f"cifar10-{size}-s{seed}"
            found[size].append(_done(workspace, data, name, cifar10_plan(workspace, size, seed), like))
            like = like or _folder(workspace, name)
    before = tuple(rounds[0].median for rounds in found["7x"])
    after = {size: tuple(rounds[1].median for rounds in found[size]) for size in CLASS_SIZES}
    rows = [Row("median confidence against the first network", "88.1 %", spread(before), before)]
    for size, paper in zip(CLASS_SIZES, ("did not help", "11.7 %"), strict=True):
        rows.append(Row(f"median confidence, fooling class {size}", paper, spread(after[size]), after[size]))
    for size in CLASS_SIZES:
        rows += _recognised({f"s{seed}": rounds for seed, rounds in enumerate(found[size])}, f", {size}")
        errors = tuple(1 - rounds[1].accuracy.value for rounds in found[size])
        rows.append(Row(f"test error, fooling class {size}", "–", spread(errors, percent), errors))
    first = tuple(1 - rounds[0].accuracy.value for rounds in found["7x"])
    rows.append(Row("test error of the first network", "–", spread(first, percent), first))
    verdict, why = cifar10_verdict(before, after)
    return Result(
        verdict,
        why,
        tuple(rows),
        _cifar10_tests(found),
        (Figure("medians", "The median confidence of every run: against the first network of each seed, and against those "
                "retrained with a fooling class of either size.", _medians(found)),
         _rounds_figure(workspace, "cifar10-7x-s0"),
        ),
        "The paper did this with 1,000 ImageNet classes, and 9,000 fooling images of 5 runs. The tests take runs as "
        "independent; those of one seed face the same network.",
        {size: [_numbers(rounds) for rounds in found[size]] for size in CLASS_SIZES},
    )  # fmt: skip


def _cifar10_tests(found: Mapping[str, Sequence[Sequence[Round]]]) -> tuple[str, ...]:
    retrained = {
        f"retrained with a fooling class {size}": _all_medians(found[size], 1) for size in CLASS_SIZES
    }
    same, seven = retrained
    pairs = [
        (name, "the first ones", values, _all_medians(found[size], 0))
        for (name, values), size in zip(retrained.items(), CLASS_SIZES, strict=True)
    ]
    pairs.append((seven, f"those {same}", retrained[seven], retrained[same]))
    return tuple(
        f"Runs against networks {name} beside runs against {other}, their medians: {in_words(mann_whitney(a, b))}."
        for name, other, a, b in pairs
    )


def cifar10_verdict(before: Sequence[float], after: Mapping[str, Sequence[float]]) -> tuple[Verdict, str]:
    """Reproduced: a fooling class of 7 times the size halves the median in each seed, as one of the same size does
    not; partly: the former lowers it in each seed.

    Args:
        before: medians against the first networks, a value a seed.
        after: those against the retrained ones, by the fooling class's size.
    """
    lower = {size: all(b > a for a, b in zip(after[size], before, strict=True)) for size in CLASS_SIZES}
    halved = {size: all(b > 2 * a for a, b in zip(after[size], before, strict=True)) for size in CLASS_SIZES}
    verdict: Verdict = (
        "reproduced" if halved["7x"] and not halved["1x"] else "partly" if lower["7x"] else "not reproduced"
    )
    parts = [
        f"with a fooling class {size} as large as another {format_confidence(float(np.median(after[size])))}, "
        f"{'lower' if lower[size] else 'not lower'} in each seed"
        for size in CLASS_SIZES
    ]
    first = format_confidence(float(np.median(before)))
    return verdict, f"Evolution reaches a median of {first} against the first networks; {'; '.join(parts)}."


def cifar10_plan(workspace: Workspace, size: str, seed: int) -> Plan:
    """One experiment."""
    return Plan(
        rounds=1,
        first=size,
        per_run=200,
        size=workspace.scale.pick(1.0, 0.1),
        seed=seed,
        architecture="resnet-cifar",
        assignments=("search.generations=100",),
    )


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
    try:
        return retrain(
            data,
            _folder(workspace, name),
            plan,
            warm_start_from=like,
            report=workspace.say,
            draw=figure,
            pages=beside,
        )
    except Interrupted:
        raise Stopped from None


def _spread_medians(found: dict[str, list[Round]], number: int) -> tuple[float, ...]:
    return tuple(rounds[number].median for rounds in found.values())


def _all_medians(found: Sequence[Sequence[Round]], number: int) -> np.ndarray:
    return np.concatenate([rounds[number].medians for rounds in found])


def _recognised(found: dict[str, list[Round]], suffix: str = "") -> list[Row]:
    """What the last networks call fooling."""
    last = [rounds[-1].recognised for rounds in found.values()]
    rows = []
    for kind, title in (
        ("held_out", "older fooling images called fooling (held out)"),
        ("new", "new ones, evolved against it"),
    ):
        shares = tuple(getattr(one, kind).value for one in last if one is not None)
        rows.append(Row(title + suffix, "–", spread(shares, percent), shares))
    return rows


def _by_round(name: str, rounds: Sequence[Round]) -> str:
    test = mann_whitney(rounds[-1].medians, rounds[0].medians)
    return (
        f"{name}: medians of runs against the last network beside those against the first: {in_words(test)}."
    )


def _table(found: dict[str, list[Round]]) -> str:
    rows = []
    for name, rounds in found.items():
        for one in rounds:
            known = one.recognised
            rows.append((
                name, one.number, f"{one.fooling_images:,} of {one.training_images:,}",
                _two(1 - one.accuracy.value), format_confidence(one.median),
                percent(known.held_out.value) if known else "–", percent(known.new.value) if known else "–",
            ))  # fmt: skip
    heads = (
        "experiment",
        "round",
        "fooling images",
        "test error",
        "median",
        "held out recognised",
        "new recognised",
    )
    return table(heads, rows)


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
            values = nines(rounds[number].medians)
            spots = place + 0.2 * (seed - 1) + np.linspace(-0.07, 0.07, len(values))
            axes.plot(spots, values, ".", color=colour(seed), alpha=0.6, mew=0,
                      label=f"seed {seed}" if not place else None)  # fmt: skip
            axes.plot(place + 0.2 * (seed - 1) + np.array([-0.08, 0.08]), [np.median(values)] * 2,
                      color=colour(seed), lw=2.4)  # fmt: skip
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
