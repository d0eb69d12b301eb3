"""A comparison in the terminal: groups, classes while they are few, images, tests. Fits 80 columns: groups are
named once, and have letters after that.

Names come from users' files, so they are printed as plain text, never as rich's markup.
"""

from __future__ import annotations

import string
from collections.abc import Iterator

import numpy as np
from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from fooling.compare.comparison import Comparison, class_medians
from fooling.compare.document import FEW, PASSES
from fooling.compare.statistics import SYMBOLS, format_n, format_p
from fooling.report.confidence import format_confidence
from fooling.report.facts import format_seconds

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
    if comparison.pairs:
        yield _tests(comparison)
    yield from (Text(note) for note in _notes(comparison))


def letter(number: int) -> str:
    """A, B, ..., Z, AA, AB, ..."""
    before = letter(number // 26 - 1) if number >= 26 else ""
    return before + string.ascii_uppercase[number % 26]


def _new(title: str, *headings: str) -> Table:
    listing = Table(
        box=box.SIMPLE_HEAD, title=title, title_justify="left", title_style="bold", pad_edge=False
    )
    for heading in headings:
        listing.add_column(heading, justify="right", no_wrap=True)
    return listing


def _groups(comparison: Comparison) -> Table:
    listing = _new("Confidence")
    listing.add_column("", min_width=17, overflow="fold")
    for heading in ("runs", "passes", "time", "median", "lowest", "99.99 %"):
        listing.add_column(heading, justify="right", no_wrap=True)
    for number, group in enumerate(comparison.groups):
        runs = comparison.of(number)
        at = [run.confidence_at(comparison.common) for run in runs]
        above = [int(np.nansum(values >= np.float32(0.9999))) for values in at]
        listing.add_row(
            Text(f"{letter(number)} {group.name}".replace(", ", ",\n  ")),
            str(len(runs)),
            f"{np.median([run.trajectory.passes for run in runs]):,.0f}",
            format_seconds(float(np.median([run.trajectory.seconds for run in runs]))),
            format_confidence(float(np.median([np.nanmedian(values) for values in at]))),
            format_confidence(float(min(np.nanmin(values) for values in at))),
            f"{np.median(above):g}",
        )
    return listing


def _classes(comparison: Comparison) -> Table:
    listing = _new("Each class, median over runs", "class")
    listing.add_column("label", max_width=20, no_wrap=True, overflow="ellipsis")
    medians = []
    for number in range(len(comparison.groups)):
        listing.add_column(letter(number), justify="right", no_wrap=True)
        at = [run.confidence_at(comparison.common) for run in comparison.of(number)]
        medians.append(class_medians(np.array(at)))
    for index, label in enumerate(comparison.labels):
        row = [format_confidence(float(values[index])) for values in medians]
        listing.add_row(str(index), Text(label), *row)
    return listing


def _images(comparison: Comparison) -> Table:
    keys = [key for key in IMAGES if key in comparison.runs[0].statistics]
    listing = _new("Images of the elites, medians", "", *(IMAGES[key][0] for key in keys))
    for number in range(len(comparison.groups)):
        runs = comparison.of(number)
        values = [np.nanmedian([run.statistics[key] for run in runs]) for key in keys]
        cells = [format(value, IMAGES[key][1]) for key, value in zip(keys, values, strict=True)]
        listing.add_row(letter(number), *cells)
    return listing


def _tests(comparison: Comparison) -> Table:
    """Never a p-value without its n."""
    listing = _new("Is the difference more than luck?", "", "of", "first is higher", "test", "p", "n")
    for pair in comparison.pairs:
        title = " beside ".join(letter(number) for number in pair.groups)
        for of, test in (("runs", pair.runs), ("classes", pair.classes)):
            if test is not None:
                higher = "–" if test.better is None else f"{test.better:.0%} of pairs"
                statistic = "–" if test.statistic is None else f"{SYMBOLS[test.test]} = {test.statistic:g}"
                listing.add_row(title, of, higher, statistic, format_p(test.p), format_n(test))
                title = ""
    return listing


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
            f"are {comparison.training.usual:.3f} away."
        )
