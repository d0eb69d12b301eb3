"""`transfer-same-architecture` and `transfer-across`: do images that fool one network fool another (Nguyen, Yosinski &
Clune 2015, section 3.5 and supplement A)?

A run is the unit of the tests: images of one run are relatives. Wilson's intervals are of the pooled images, and
so too narrow for that; the values of single runs stand in the JSON.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from fooling.confidence import format_confidence
from fooling.present.markdown import table
from fooling.present.plots import TEXT, colour, literal, panels_of, png
from fooling.reproduce.experiments import pictures
from fooling.reproduce.experiments.answer import Answer
from fooling.reproduce.experiments.digits import image_of
from fooling.reproduce.result import Figure, Result, Row, percent, spread
from fooling.reproduce.workspace import MissingInput, Workspace
from fooling.studies.intervals import wilson
from fooling.studies.rank_tests import in_words, mann_whitney, wilcoxon

TWINS = ("builtin:lenet", "builtin:lenet-b")
NETWORKS = (*TWINS, "builtin:mlp", "builtin:resnet-mini", "builtin:vit-mini")
ENCODINGS = ("cppn", "direct")
CHANCE = 0.1  # of ten classes
SURE = 0.9999
SHOWN = 8


def answers(workspace: Workspace, encoding: str, networks: Sequence[str]) -> list[Answer]:
    """Every network's elites, of every seed, shown to every network."""
    runs = [(network, run) for network in networks for run in workspace.digits(encoding, network)]

    def ask() -> list[Answer]:
        from fooling.studies.transfer.measure import measure, source_of

        sources = [source_of(run) for _, run in runs]
        return [
            Answer(
                home,
                target,
                run.spec.config.seed,
                cell.source.confidences.tolist(),
                cell.same_top1.tolist(),
                cell.confidence.tolist(),
            )
            for target in networks
            for (home, run), cell in zip(runs, measure(sources, target), strict=True)
        ]

    return [Answer(*found) for found in workspace.once(f"transfer-{encoding}-{len(networks)}", ask)]


def same_architecture(workspace: Workspace) -> Result:
    """Two LeNets trained from different initial weights."""
    rows: list[Row] = []
    notes: list[str] = []
    verdicts: list[bool] = []
    numbers: dict[str, Any] = {}
    for encoding in ENCODINGS:
        found = answers(workspace, encoding, TWINS)
        away = [one for one in found if one.source != one.target]
        shares = [one.share for one in away]
        both = [sure_on_both(one) for one in away]
        alone = [sure_alone(one) for one in away]
        rows += [
            Row(f"{encoding}: same top-1 on the twin", "–", pooled(away), tuple(shares)),
            Row(f"{encoding}: at least 99.99 % on both", "some", spread(both, percent), tuple(both)),
            Row(
                f"{encoding}: at least 99.99 % on its own network alone",
                "some",
                spread(alone, percent),
                tuple(alone),
            ),
        ]
        verdicts += [max(both) > 0, max(alone) > 0]
        numbers[encoding] = [one._asdict() for one in away]
    rows += _cifar(workspace, notes, numbers)
    held = all(verdicts)
    return Result(
        "reproduced" if held else "partly" if any(verdicts) else "not reproduced",
        "Some images fool both networks at 99.99 %, some fool one alone"
        + (", with both encodings." if held else "; not all of it with both encodings."),
        tuple(rows),
        figures=(_examples(workspace),),
        notes="\n\n".join(notes),
        numbers=numbers,
    )


def _cifar(workspace: Workspace, notes: list[str], numbers: dict[str, Any]) -> list[Row]:
    """The pairs of residual networks for CIFAR-10, where there is time and data for them."""
    if workspace.scale.quick:
        notes.append("The pairs of CIFAR-10 networks take an hour: they are not part of `--quick`.")
        return []
    from fooling.reproduce.experiments.natural import pairs

    try:
        found = pairs(workspace)
    except MissingInput as error:
        notes.append(f"Without pairs of CIFAR-10 networks: {error}.")
        return []
    numbers["cifar10"] = [one._asdict() for one in found]
    shares = [one.share for one in found]
    return [
        Row(
            "CIFAR-10, residual networks, CPPN: same top-1 on another of them",
            "–",
            pooled(found),
            tuple(shares),
        )
    ]


def across(workspace: Workspace) -> Result:
    """All networks that ship, every one against every other."""
    rows: list[Row] = []
    tests: list[str] = []
    tables: list[str] = []
    numbers: dict[str, Any] = {}
    kinds: dict[str, list[Answer]] = {}
    for encoding in ENCODINGS:
        found = answers(workspace, encoding, NETWORKS)
        numbers[encoding] = [one._asdict() for one in found]
        tables.append(f"Same top-1, {encoding} images, with Wilson's 95 % intervals:\n\n{matrix(found)}")
        kinds[encoding] = [one for one in found if is_across(one)]
        values = by_run(kinds[encoding])
        rows.append(
            Row(
                f"{encoding}: same top-1 on a network of another architecture",
                "17.3 % and 20.7 % (ImageNet, CPPN)",
                pooled(kinds[encoding]),
                tuple(values),
            )
        )
        tests += _tests(encoding, found)
    return Result(
        *_across_verdict(rows, tests, kinds, numbers),
        tuple(rows),
        tuple(tests),
        (Figure("matrix", "Share of images with the same top-1 class: of whose elites, shown to whom.",
                _heat_maps(numbers)),),
        "\n".join(tables),
        numbers,
    )  # fmt: skip


def is_across(one: Answer) -> bool:
    """Whether source and target differ in architecture."""
    return one.source != one.target and {one.source, one.target} != set(TWINS)


def _tests(encoding: str, found: Sequence[Answer]) -> list[str]:
    """Twins against other architectures, run by run; and every kind against chance."""
    twin = {(one.source, one.seed): one.share for one in found if {one.source, one.target} == set(TWINS)}
    other = _means(one for one in found if one.source in TWINS and is_across(one))
    runs = sorted(twin)
    test = wilcoxon(np.array([twin[run] for run in runs]), np.array([other[run] for run in runs]))
    return [
        f"{encoding}: twin network beside other architectures, the LeNets' runs as pairs: {in_words(test)} "
        f"(medians {percent(float(np.median(list(twin.values()))))} and "
        f"{percent(float(np.median(list(other.values()))))})."
    ]


def _across_verdict(
    rows: Sequence[Row], tests: list[str], kinds: dict[str, list[Answer]], numbers: dict[str, Any]
) -> tuple[Any, str]:
    """The paper's finding: images transfer across architectures more often than chance has it, and less often than
    between twins; and CPPN images do so here beside direct ones."""
    cppn, direct = (np.array(by_run(kinds[encoding])) for encoding in ENCODINGS)
    between = mann_whitney(cppn, direct)
    tests.append(f"CPPN beside direct images, across architectures, a value a run: {in_words(between)}.")
    twins = [Answer(*one.values()) for one in numbers["cppn"] if {one["source"], one["target"]} == set(TWINS)]
    same, other = (hits / count for hits, count in (_pooled(twins), _pooled(kinds["cppn"])))
    low = wilson(*_pooled(kinds["cppn"]))
    above, fewer = low is not None and low[0] > CHANCE, other < same
    verdict = "reproduced" if above and fewer else "partly" if above or fewer else "not reproduced"
    return verdict, (
        f"CPPN images fool other architectures in {percent(other)} of cases, "
        f"{'more' if above else 'not more'} than the {CHANCE:.0%} of chance, "
        f"{'fewer' if fewer else 'not fewer'} than the {percent(same)} between twins."
    )


def by_run(found: Iterable[Answer]) -> list[float]:
    """One value a run: the mean over its targets of the share with the same top-1."""
    return [value for _, value in sorted(_means(found).items())]


def _means(found: Iterable[Answer]) -> dict[tuple[str, int], float]:
    groups: dict[tuple[str, int], list[float]] = {}
    for one in found:
        groups.setdefault((one.source, one.seed), []).append(one.share)
    return {run: float(np.mean(shares)) for run, shares in groups.items()}


def sure_on_both(one: Answer) -> float:
    """The share of images of at least 99.99 % at home and on the target."""
    level = np.float32(SURE)
    return float(np.mean([h >= level and c >= level for h, c in zip(one.home, one.confidence, strict=True)]))


def sure_alone(one: Answer) -> float:
    """The share of images of at least 99.99 % at home and less on the target."""
    level = np.float32(SURE)
    return float(np.mean([h >= level > c for h, c in zip(one.home, one.confidence, strict=True)]))


def _pooled(found: Sequence[Answer]) -> tuple[int, int]:
    return sum(sum(one.same) for one in found), sum(len(one.same) for one in found)


def pooled(found: Sequence[Answer]) -> str:
    """The share of all images with the same top-1, Wilson's interval, and the spread over runs."""
    hits, count = _pooled(found)
    interval = wilson(hits, count)
    assert interval is not None
    low, high = map(percent, interval)
    runs = len({(one.source, one.seed) for one in found})
    return f"{percent(hits / count)} ({low} to {high}, n = {count} answers to images of {runs} runs)"


def matrix(found: Sequence[Answer]) -> str:
    """Who fools whom, pooled over seeds."""
    names = list(dict.fromkeys(one.source for one in found))
    rows = []
    for source in names:
        cells = []
        for target in names:
            hits, count = _pooled([one for one in found if (one.source, one.target) == (source, target)])
            interval = wilson(hits, count)
            assert interval is not None
            cells.append(f"{hits / count:.0%} ({interval[0]:.0%} to {interval[1]:.0%})")
        rows.append((f"of `{short(source)}`", *cells))
    return table(("elites", *(f"`{short(name)}`" for name in names)), rows)


def short(spec: str) -> str:
    """A SPEC without its source."""
    return spec.rpartition(":")[2]


def _heat_maps(numbers: dict[str, Any]) -> bytes:
    figure, panels = panels_of(1, len(ENCODINGS), 11, 4.6)
    for axes, encoding in zip(np.ravel(panels), ENCODINGS, strict=True):
        found = [Answer(*one.values()) for one in numbers[encoding]]
        names = list(dict.fromkeys(one.source for one in found))
        shares = np.array(
            [[_share(found, source, target) for target in names] for source in names], np.float64
        )
        axes.grid(visible=False)
        axes.imshow(shares, cmap="viridis_r", vmin=0, vmax=1)
        for row, column in np.ndindex(*shares.shape):
            ink = "white" if shares[row, column] > 0.55 else "black"
            weight = "bold" if row == column else "normal"
            axes.text(column, row, f"{shares[row, column]:.0%}", ha="center", va="center", color=ink,
                      fontsize=TEXT, fontweight=weight)  # fmt: skip
        labels = [literal(short(name)) for name in names]
        axes.set_xticks(range(len(names)), labels, rotation=30, ha="right")
        axes.set_yticks(range(len(names)), labels)
        axes.set_title(f"{encoding} images", fontsize=TEXT, color=colour(ENCODINGS.index(encoding)))
        axes.set_xlabel("shown to", fontsize=TEXT)
    np.ravel(panels)[0].set_ylabel("evolved against", fontsize=TEXT)
    return png(figure)


def _share(found: Sequence[Answer], source: str, target: str) -> float:
    hits, count = _pooled([one for one in found if (one.source, one.target) == (source, target)])
    return hits / count


def _examples(workspace: Workspace) -> Figure:
    """Images that both twins are sure of, and images that fool one alone."""
    images, captions = [], []
    runs = {run.spec.config.seed: run for run in workspace.digits("direct", TWINS[0])}
    found = [one for one in answers(workspace, "direct", TWINS) if (one.source, one.target) == TWINS]
    sure = [
        (one, number)
        for number in range(len(found[0].home))
        for one in found
        if one.home[number] >= np.float32(SURE)
    ]
    sure.sort(key=lambda pair: pair[0].confidence[pair[1]])
    level = np.float32(SURE)
    for row in (
        [pair for pair in reversed(sure) if pair[0].confidence[pair[1]] >= level],
        [pair for pair in sure if pair[0].confidence[pair[1]] < level],
    ):
        for one, number in row[:SHOWN]:
            view = runs[one.seed]
            images.append(image_of(view, number))
            captions.append(f"{view.labels[number]}: {format_confidence(one.confidence[number])}")
        vacant = SHOWN - len(row[:SHOWN])
        images += [np.full((28, 28, 1), 255, np.uint8)] * vacant
        captions += [""] * vacant
    return Figure(
        "examples",
        "Direct images of which LeNet is 99.99 % sure, and how sure its twin is: those of which it is as sure above, "
        "those of which it is least sure below.",
        pictures.strip(images, captions, columns=SHOWN, heads=("both", "one alone")),
    )
