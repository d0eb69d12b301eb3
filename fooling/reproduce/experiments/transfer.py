"""`transfer-same-architecture` and `transfer-across`: do images that fool one network fool another (Nguyen, Yosinski &
Clune 2015, section 3.5 and supplement A)?

A run is the unit of the tests: images of one run are relatives. Wilson's intervals are of the pooled images, and
so too narrow for that; the values of single runs stand in the JSON.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from fooling.confidence import format_confidence
from fooling.model_specs import short
from fooling.present.grid import image_grid, png_of
from fooling.present.markdown import table
from fooling.present.plots import TEXT, colour, heat_map, panels_of, png
from fooling.reproduce.experiments.answers import Answer, on_cifar10, on_digits
from fooling.reproduce.result import Claim, Figure, Result, Row, percent
from fooling.reproduce.workspace import MissingInput, Workspace
from fooling.studies.intervals import wilson
from fooling.studies.rank_tests import in_words, mann_whitney, wilcoxon

TWINS = ("builtin:lenet", "builtin:lenet-b")
NETWORKS = (*TWINS, "builtin:mlp", "builtin:resnet-mini", "builtin:vit-mini")
ENCODINGS = ("cppn", "direct")
CHANCE = 0.1  # of ten classes
SURE = np.float32(0.9999)
SHOWN = 8


def same_architecture(workspace: Workspace) -> Result:
    """Show the elites of two LeNets, trained from different initial weights, to each other."""
    rows: list[Row] = []
    claims: list[Claim] = []
    numbers: dict[str, Any] = {}
    for encoding in ENCODINGS:
        found = on_digits(workspace, encoding, TWINS)
        away = [one for one in found if one.source != one.target]
        both, alone = [sure_on_both(one) for one in away], [sure_alone(one) for one in away]
        rows += [
            _share_row(f"{encoding}: same top-1 on the twin", "–", away),
            Row.over(f"{encoding}: at least 99.99 % on both", both, percent, "some"),
            Row.over(f"{encoding}: at least 99.99 % on its own network alone", alone, percent, "some"),
        ]
        for values, which in ((both, "both networks"), (alone, "one network alone")):
            told = f"{encoding}: {percent(float(np.mean(values)))} of the images fool {which} at 99.99 %."
            claims.append(Claim(f"Some images fool {which}: {encoding} images", max(values) > 0, told))
        numbers[encoding] = [one._asdict() for one in away]
    more, notes = _cifar10(workspace)
    if more:
        rows.append(_share_row("CIFAR-10, residual networks, CPPN: same top-1 on another of them", "–", more))
        numbers["cifar10"] = [one._asdict() for one in more]
    figures = (_examples(workspace),)
    return Result(tuple(claims), tuple(rows), figures=figures, notes=notes, numbers=numbers)


def _cifar10(workspace: Workspace) -> tuple[list[Answer], str]:
    """The pairs of residual networks for CIFAR-10, where there is time and data for them; else why they are left out."""
    if workspace.scale.quick:
        return [], "The pairs of CIFAR-10 networks take an hour: they are not part of `--quick`."
    try:
        return on_cifar10(workspace), ""
    except MissingInput as error:
        return [], f"Without pairs of CIFAR-10 networks: {error}."


def across(workspace: Workspace) -> Result:
    """Show the elites of all networks that ship to every other one."""
    found = {encoding: on_digits(workspace, encoding, NETWORKS) for encoding in ENCODINGS}
    kinds = {encoding: [one for one in answers if is_across(one)] for encoding, answers in found.items()}
    between = mann_whitney(*(np.array(by_run(kinds[encoding])) for encoding in ENCODINGS))
    twins = [one for one in found["cppn"] if {one.source, one.target} == set(TWINS)]
    return Result(
        across_claims(kinds["cppn"], twins),
        tuple(
            _share_row(f"{encoding}: same top-1 on a network of another architecture",
                       "17.3 % and 20.7 % (ImageNet, CPPN)", answers, by_run(answers))
            for encoding, answers in kinds.items()
        ),
        (
            *(twins_beside_others(encoding, answers) for encoding, answers in found.items()),
            f"CPPN beside direct images, across architectures, a value a run: {in_words(between)}.",
        ),
        (Figure("matrix", "Share of images with the same top-1 class: of whose elites, shown to whom.",
                _heat_maps(found)),),
        "\n".join(
            f"Same top-1, {encoding} images, with Wilson's 95 % intervals:\n\n{matrix(answers)}"
            for encoding, answers in found.items()
        ),
        {encoding: [one._asdict() for one in answers] for encoding, answers in found.items()},
    )  # fmt: skip


def is_across(one: Answer) -> bool:
    """Whether source and target differ in architecture."""
    return one.source != one.target and {one.source, one.target} != set(TWINS)


def twins_beside_others(encoding: str, found: Sequence[Answer]) -> str:
    """The test of the twin network beside networks of other architectures, run by run."""
    twin = {(one.source, one.seed): one.share for one in found if {one.source, one.target} == set(TWINS)}
    other = _means(one for one in found if one.source in TWINS and is_across(one))
    ours, theirs = (np.array([of[run] for run in sorted(twin)]) for of in (twin, other))
    return (
        f"{encoding}: twin network beside other architectures, the LeNets' runs as pairs: "
        f"{in_words(wilcoxon(ours, theirs))} (medians {percent(float(np.median(ours)))} and "
        f"{percent(float(np.median(theirs)))})."
    )


def across_claims(others: Sequence[Answer], twins: Sequence[Answer]) -> tuple[Claim, ...]:
    """The paper's findings, of CPPN images: they transfer across architectures more often than chance has it, and less
    often than between twins."""
    (share, low, _), (same, _, _) = _pooled(others), _pooled(twins)
    return (
        Claim(
            "Images fool other architectures more often than by chance",
            low > CHANCE,
            f"CPPN images fool other architectures in {percent(share)} of cases, where chance has {CHANCE:.0%}.",
        ),
        Claim(
            "They do so less often than between twins", share < same, f"Between twins it is {percent(same)}."
        ),
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
    return float(np.mean((np.array(one.home) >= SURE) & (np.array(one.confidence) >= SURE)))


def sure_alone(one: Answer) -> float:
    """The share of images of at least 99.99 % at home and less on the target."""
    return float(np.mean((np.array(one.home) >= SURE) & (np.array(one.confidence) < SURE)))


def _pooled(found: Sequence[Answer]) -> tuple[float, float, float]:
    """The share of all images with the same top-1, and Wilson's interval."""
    hits, count = sum(sum(one.same) for one in found), sum(len(one.same) for one in found)
    return (hits / count, *(wilson(hits, count) or (0.0, 1.0)))


def _share_row(quantity: str, paper: str, found: Sequence[Answer], values: Sequence[float] = ()) -> Row:
    return Row(quantity, paper, pooled(found), tuple(values or (one.share for one in found)))


def pooled(found: Sequence[Answer]) -> str:
    """The share of all images with the same top-1, Wilson's interval, and how many images and runs there are."""
    share, low, high = map(percent, _pooled(found))
    count, runs = sum(len(one.same) for one in found), len({(one.source, one.seed) for one in found})
    return f"{share} ({low} to {high}, n = {count} answers to images of {runs} runs)"


def _cells(found: Sequence[Answer]) -> tuple[list[str], dict[tuple[str, str], tuple[float, float, float]]]:
    """The networks, and the pooled share and interval of each pair of them."""
    names = list(dict.fromkeys(one.source for one in found))
    pairs = [(source, target) for source in names for target in names]
    return names, {
        pair: _pooled([one for one in found if (one.source, one.target) == pair]) for pair in pairs
    }


def matrix(found: Sequence[Answer]) -> str:
    """A table of how often the elites of each network fool each other one, pooled over seeds."""
    names, cells = _cells(found)
    rows = []
    for source in names:
        shares = (cells[source, target] for target in names)
        texts = [f"{share:.0%} ({low:.0%} to {high:.0%})" for share, low, high in shares]
        rows.append((f"of `{short(source)}`", *texts))
    return table(("elites", *(f"`{short(name)}`" for name in names)), rows)


def _heat_maps(found: Mapping[str, Sequence[Answer]]) -> bytes:
    figure, panels = panels_of(1, len(found), 11, 4.6)
    for number, (axes, (encoding, answers)) in enumerate(zip(np.ravel(panels), found.items(), strict=True)):
        names, cells = _cells(answers)
        shares = np.array([[cells[source, target][0] for target in names] for source in names])
        texts = [[f"{share:.0%}" for share in row] for row in shares]
        shown = list(map(short, names))
        heat_map(axes, shares, texts, np.eye(len(names), dtype=bool).tolist(), (shown, shown))
        axes.set_title(f"{encoding} images", fontsize=TEXT, color=colour(number))
        axes.set_xlabel("shown to", fontsize=TEXT)
    np.ravel(panels)[0].set_ylabel("evolved against", fontsize=TEXT)
    return png(figure)


def _examples(workspace: Workspace) -> Figure:
    """Images that both twins are sure of, and images that fool one alone."""
    runs = {run.spec.config.seed: run for run in workspace.digits("direct", TWINS[0])}
    labels = next(iter(runs.values())).labels
    sure = [
        (one.confidence[number], one.seed, number)
        for number in range(len(labels))
        for one in on_digits(workspace, "direct", TWINS)
        if (one.source, one.target) == TWINS and one.home[number] >= SURE
    ]
    sure.sort(key=lambda one: one[0])
    images, captions = [], []
    for row in ([one for one in reversed(sure) if one[0] >= SURE], [one for one in sure if one[0] < SURE]):
        for confidence, seed, number in row[:SHOWN]:
            images.append(runs[seed].images[number])
            captions.append(f"{labels[number]}: {format_confidence(confidence)}")
        vacant = SHOWN - len(row[:SHOWN])
        images += [np.full((28, 28, 1), 255, np.uint8)] * vacant
        captions += [""] * vacant
    return Figure(
        "examples",
        "Direct images of which LeNet is 99.99 % sure, and how sure its twin is: those of which it is as sure above, "
        "those of which it is least sure below.",
        png_of(image_grid(images, captions, columns=SHOWN, heads=("both", "one alone"))),
    )
