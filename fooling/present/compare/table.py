"""A comparison in the terminal: groups, classes while they are few, images, tests. Fits 80 columns: groups are
named once, and have letters after that.
"""

from __future__ import annotations

import string
from collections.abc import Iterator

import numpy as np
from rich.console import RenderableType
from rich.table import Table

from fooling.confidence import format_confidence
from fooling.present.facts import format_seconds
from fooling.present.listing import listing, words
from fooling.studies.compare.comparison import FEW, PASSES, Comparison, class_medians
from fooling.studies.compare.images import NEAR, Training
from fooling.studies.rank_tests import SYMBOLS, format_n, format_p
from fooling.text import plain

IMAGES = {
    "grey_distance": ("from grey", ".3f"),
    "total_variation": ("variation", ".3f"),
    "png_bytes": ("PNG bytes", ",.0f"),
    "training_distance": ("from training", ".3f"),
}


def pages(comparison: Comparison) -> Iterator[RenderableType]:
    """Tables and notes, in the order to print them."""
    yield _groups(comparison)
    if len(comparison.labels) <= FEW:
        yield _classes(comparison)
    yield _images(comparison)
    if comparison.training is not None:
        yield _near(comparison, comparison.training)
    if comparison.pairs:
        yield _tests(comparison)
    yield from _notes(comparison)


def letter(number: int) -> str:
    """A, B, ..., Z, AA, AB, ..."""
    before = letter(number // 26 - 1) if number >= 26 else ""
    return before + string.ascii_uppercase[number % 26]


def _new(title: str, *headings: str) -> Table:
    page = listing(title)
    for heading in headings:
        page.add_column(heading, justify="right", no_wrap=True)
    return page


def _groups(comparison: Comparison) -> Table:
    page = _new("Confidence")
    page.add_column("", min_width=17, overflow="fold")
    for heading in ("runs", "passes", "time", "median", "lowest", "99.99 %"):
        page.add_column(heading, justify="right", no_wrap=True)
    for number, group in enumerate(comparison.groups):
        runs = comparison.of(number)
        at = comparison.at_common(number)
        page.add_row(
            words(*plain(f"{letter(number)} {group.name}").replace(", ", ",\n  ").split("\n")),
            str(len(runs)),
            f"{np.median([run.trajectory.passes for run in runs]):,.0f}",
            format_seconds(float(np.median([run.trajectory.seconds for run in runs]))),
            format_confidence(float(np.median(np.nanmedian(at, axis=1)))),
            format_confidence(float(np.nanmin(at))),
            f"{np.median((at >= np.float32(0.9999)).sum(axis=1)):g}",
        )
    return page


def _classes(comparison: Comparison) -> Table:
    page = _new("Each class, median over runs", "class")
    page.add_column("label", max_width=20, no_wrap=True, overflow="ellipsis")
    medians = []
    for number in range(len(comparison.groups)):
        page.add_column(letter(number), justify="right", no_wrap=True)
        medians.append(class_medians(comparison.at_common(number)))
    for index, label in enumerate(comparison.labels):
        row = [format_confidence(float(values[index])) for values in medians]
        page.add_row(str(index), label, *row)
    return page


def _images(comparison: Comparison) -> Table:
    keys = [key for key in IMAGES if key in comparison.runs[0].statistics]
    page = _new("Images of the elites, medians", "", *(IMAGES[key][0] for key in keys))
    for number in range(len(comparison.groups)):
        runs = comparison.of(number)
        values = [np.nanmedian([run.statistics[key] for run in runs]) for key in keys]
        cells = [format(value, IMAGES[key][1]) for key, value in zip(keys, values, strict=True)]
        page.add_row(letter(number), *cells)
    return page


def _near(comparison: Comparison, training: Training) -> Table:
    """The elites that may well look like what they are called."""
    page = _new("Elites as near to training images as test images are", "", "run", "elites", "of")
    page.add_column("classes", max_width=34, no_wrap=True, overflow="ellipsis")
    for run in comparison.runs:
        near = run.near(training)
        page.add_row(
            letter(run.group),
            run.name,
            str(len(near)),
            f"{len(run.view.archive.occupied):,}",
            ", ".join(comparison.labels[number] for number in near),
        )
    return page


def _tests(comparison: Comparison) -> Table:
    """Never a p-value without its n."""
    page = _new("Is the difference more than luck?", "", "of", "first is higher", "test", "p", "n")
    for pair in comparison.pairs:
        title = " beside ".join(letter(number) for number in pair.groups)
        for of, test in (("runs", pair.runs), ("classes", pair.classes)):
            if test is not None:
                higher = "–" if test.better is None else f"{test.better:.0%} of pairs"
                statistic = "–" if test.statistic is None else f"{SYMBOLS[test.test]} = {test.statistic:g}"
                page.add_row(title, of, higher, statistic, format_p(test.p), format_n(test))
                title = ""
    return page


def _notes(comparison: Comparison) -> Iterator[str]:
    """What the columns mean."""
    corrected = f" p is not corrected for {len(comparison.pairs)} pairs." if len(comparison.pairs) > 1 else ""
    yield (
        f"Confidences are those at {comparison.common:,.0f} passes, which every run has made.{corrected} Passes are "
        f"{PASSES}."
    )
    if comparison.training is not None:
        yield (
            f"From training: to the nearest of {len(comparison.training.pixels):,} training images; test images "
            f"are {comparison.training.usual:.3f} away, {100 * NEAR:.0f} % of them within {comparison.training.near:.3f}: "
            "an elite as near as that may show what it is called."
        )
