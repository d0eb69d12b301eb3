"""`related-classes`: do images evolved for relatives look alike (Nguyen, Yosinski & Clune 2015, section 3.4, figure 9:
three lizards and three toy dogs, two runs)?

The paper shows it; here it is measured. Siblings are classes of the same group of the classifier's spec. How much
nearer to each other their images are than those of any two classes is measured within each run, and between two
runs, with two distances: of the images' coarse layout, and of their colours wherever they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fooling.confidence import format_confidence
from fooling.present.grid import image_grid, png_of
from fooling.reproduce.experiments.imagenet import evolved
from fooling.reproduce.permutation_tests import PermutationTest, permutation_test
from fooling.reproduce.result import Claim, Figure, Result, Row, percent
from fooling.reproduce.workspace import MissingInput, Workspace
from fooling.store.snapshot import Snapshot
from fooling.studies.rank_tests import in_words, mann_whitney

Features = NDArray[np.float64]  # (K, values)
COARSE = 8  # pixels a side
LEVELS = 4  # of each channel
ALPHA = 0.05
FAMILIES, MEMBERS = 2, 3  # that are shown


def perform(workspace: Workspace) -> Result:
    """Compare the CPPN images of all seeds.

    Raises:
        MissingInput: no classifier, or one that does not say which classes are relatives.
    """
    runs = evolved(workspace, "cppn")
    found = siblings(len(runs[0].labels), runs[0].groups)
    if not (found >= 0).any():
        raise MissingInput(
            f"{workspace.imagenet()} does not say which classes are relatives: expected groups of two classes or "
            "more in its spec (docs/models.md)"
        )
    kept = np.flatnonzero((found >= 0) & np.all([view.stored_rows >= 0 for view in runs], axis=0))
    groups = found[kept]
    images = [view.stored_pixels[view.stored_rows[kept]] for view in runs]
    within: dict[str, list[float]] = {}
    between: dict[str, list[float]] = {}
    tests: dict[str, PermutationTest] = {}
    for name, feature in (("layout", layout), ("colours", colours)):
        values = [feature(one) for one in images]
        pairs = list(combinations(values, 2))
        within[name] = [likeness(distances(one, one), groups) for one in values]
        between[name] = [likeness(distances(one, other), groups) for one, other in pairs]
        tests[name] = resemblance([distances(one, one) for one in values], groups)
    shared = [_shared(view, kept, groups) for view in runs]
    return Result(
        claims(tests, within, between),
        (*_rows(within, between), _shared_row(shared)),
        tuple(_words(name, tests[name], within[name], between[name], len(runs)) for name in tests),
        (_families(runs, kept, groups),),
        f"{len(kept)} classes in {len(np.unique(groups))} groups: those of the spec that hold no other group. An image "
        f"may be the elite of several classes. Layout is {COARSE} x {COARSE} pixels, colours a histogram of "
        f"{LEVELS**3} colours; distances are root mean squares.",
        {"within": within, "between": between, "same_image": shared},
    )


def siblings(classes: int, named: Mapping[str, Sequence[int]]) -> NDArray[np.int64]:
    """(K,): the number of the group that makes a class a sibling of others, -1 for none. Groups that hold another
    group whole, like "animal", make no siblings; of several the smallest does."""
    groups = [frozenset(members) for members in named.values()]
    leaves = [group for group in groups if len(group) > 1 and not any(other < group for other in groups)]
    found = np.full(classes, -1)
    for number, group in sorted(enumerate(leaves), key=lambda one: -len(one[1])):
        found[sorted(group)] = number
    alone = [number for number, count in zip(*np.unique(found, return_counts=True), strict=True) if count < 2]
    found[np.isin(found, alone)] = -1
    return found


def layout(pixels: NDArray[np.uint8]) -> Features:
    """(K, H, W, C) to (K, values) in [0, 1]: the images at `COARSE` pixels a side."""
    return np.array([_shrunk(image).ravel() / 255.0 for image in pixels])


def _shrunk(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    page = Image.fromarray(image[..., 0] if image.shape[2] == 1 else image)
    return np.asarray(page.resize((COARSE, COARSE), Image.Resampling.BOX))


def colours(pixels: NDArray[np.uint8]) -> Features:
    """(K, H, W, C) to (K, LEVELS^C): the share of pixels of each coarse colour, square roots: their distance is
    Hellinger's, up to a factor."""
    channels = pixels.shape[3]
    codes = (pixels.astype(np.int64) * LEVELS // 256) @ (LEVELS ** np.arange(channels))
    counts = np.array([np.bincount(code.ravel(), minlength=LEVELS**channels) for code in codes])
    return np.sqrt(counts / codes[0].size)


def distances(one: Features, other: Features) -> Features:
    """The root mean square distances of (K, values) and (K, values), as (K, K)."""
    squared = (one**2).sum(1)[:, None] - 2 * one @ other.T + (other**2).sum(1)
    return np.sqrt(np.maximum(squared, 0.0) / one.shape[1])


def likeness(apart: Features, groups: NDArray[np.int64]) -> float:
    """How much nearer a class is to its siblings than to any class: 1 minus the ratio of mean distances, each class
    counting the same. 0: no nearer; 1: siblings are equal.

    Args:
        apart: (K, K); a class's distance to itself does not count.
        groups: (K,), each of two classes or more.
    """
    kin = groups[:, None] == groups
    np.fill_diagonal(kin, False)
    own = float(((apart * kin).sum(axis=1) / kin.sum(axis=1)).mean())
    any_ = float((apart.sum() - np.trace(apart)) / (apart.size - len(apart)))
    return 1 - own / any_ if any_ else 0.0


def resemblance(apart: Sequence[Features], groups: NDArray[np.int64]) -> PermutationTest:
    """Whether siblings are nearer than when the classes are permuted among the groups, in all runs alike: a test of
    the mean likeness over runs."""
    mean = np.mean([one / max(one.mean(), 1e-12) for one in apart], axis=0)

    def statistic(generator: np.random.Generator | None) -> float:
        return likeness(mean, groups if generator is None else generator.permutation(groups))

    return permutation_test(statistic, len(groups))


def claims(
    tests: Mapping[str, PermutationTest],
    within: Mapping[str, Sequence[float]],
    between: Mapping[str, Sequence[float]],
) -> tuple[Claim, ...]:
    """Siblings are alike within a run by either distance, and less so between runs by that one."""
    alike = [name for name, test in tests.items() if test.p < ALPHA]
    less = [name for name in alike if between[name] and np.mean(between[name]) < np.mean(within[name])]
    name = [*less, *alike, *tests][0]
    near, far = (
        percent(float(np.mean(values[name]))) if values[name] else "–" for values in (within, between)
    )
    return (
        Claim(
            "Images of relatives look alike within a run",
            bool(alike),
            f"Images of siblings are alike in {' and in '.join(alike)}: in {name} {near} nearer than any two within a run."
            if alike
            else "Images of siblings are no nearer to each other than any two images of a run.",
        ),
        Claim(
            "They look different in another run",
            bool(less),
            f"Between two runs they are {far} nearer in {name}, {'less than' if less else 'not less than'} within one.",
        ),
    )


def _rows(within: Mapping[str, Sequence[float]], between: Mapping[str, Sequence[float]]) -> list[Row]:
    return [
        Row.over(f"siblings nearer than any two classes, in {name}, {where}", values[name], percent, paper)
        for name in within
        for values, where, paper in (
            (within, "within a run", "alike"),
            (between, "between two runs", "different"),
        )
        if values[name]
    ]


def _shared(view: Snapshot, kept: NDArray[np.int64], groups: NDArray[np.int64]) -> tuple[float, float]:
    """The shares of pairs of siblings, and of pairs of any classes, that have the very same image."""
    image = view.stored_rows[kept]
    same, kin = image[:, None] == image, groups[:, None] == groups
    apart = ~np.eye(len(kept), dtype=bool)
    return float(same[kin & apart].mean()), float(same[apart].mean())


def _shared_row(shared: Sequence[tuple[float, float]]) -> Row:
    kin, every = np.median(np.array(shared), axis=0)
    return Row(
        "pairs with the very same image: of siblings, of any classes",
        "–",
        f"{percent(float(kin))}, {percent(float(every))} (medians, n = {len(shared)})",
    )


def _words(
    name: str, test: PermutationTest, within: Sequence[float], between: Sequence[float], runs: int
) -> str:
    line = (
        f"{name}: siblings are {percent(test.observed)} nearer than any two within a run, "
        f"{percent(test.expected)} when classes are dealt into groups at random: {test.in_words()} classes, "
        f"{runs} runs together."
    )
    if len(between) < 2:
        return line
    against = mann_whitney(np.array(within), np.array(between))
    return f"{line} Within runs beside between runs (pairs of runs share runs): {in_words(against)}."


def _families(runs: Sequence[Snapshot], kept: NDArray[np.int64], groups: NDArray[np.int64]) -> Figure:
    """Three members, in two runs, of each of the groups whose members are nearest in the first run, as in figure 9."""
    places = layout(runs[0].stored_pixels[runs[0].stored_rows[kept]])
    apart = distances(places, places)
    chosen = np.array([kept[one] for one in nearest_families(apart, groups)]).ravel()
    images, captions = [], []
    for view in runs[:2]:
        for number in chosen:
            images.append(view.stored_pixels[view.stored_rows[number]])
            label = view.labels[number].split(",")[0][:18]
            captions.append(f"{label}\n{format_confidence(float(view.confidence[number]))}")
    return Figure(
        "families",
        f"As figure 9: {MEMBERS} relatives each of {FAMILIES} groups, those that are most alike in the first run "
        "(so chosen); a row a run.",
        png_of(image_grid(images, captions, columns=len(chosen), heads=["run 1", "run 2"][: len(runs)])),
    )  # fmt: skip


def nearest_families(apart: Features, groups: NDArray[np.int64]) -> list[list[int]]:
    """The `FAMILIES` groups, of those with `MEMBERS` classes or more, whose nearest members are most alike: each as the
    rows of a class and its nearest siblings, none of them the same image."""
    found = []
    for group in np.unique(groups):
        rows = np.flatnonzero(groups == group)
        inside = np.where(apart[np.ix_(rows, rows)] > 1e-6, apart[np.ix_(rows, rows)], np.inf)
        near = np.argsort(inside, axis=1, kind="stable")[:, : MEMBERS - 1]
        if len(rows) < MEMBERS:
            continue
        spans = np.take_along_axis(inside, near, axis=1).max(axis=1)
        best = int(spans.argmin())
        found.append((float(spans[best]), [int(rows[best]), *rows[near[best]].tolist()]))
    return [rows for _, rows in sorted(found)[:FAMILIES]]
