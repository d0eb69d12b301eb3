"""A run in the terminal, in 80 columns: every class while they are few, else bands, groups and extremes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
from rich.bar import Bar
from rich.table import Table

from fooling.confidence import BANDS, VACANT, band_of, format_confidence
from fooling.present.facts import cost_line, facts, first_answer, nan_line, summary_line, top1_line
from fooling.present.listing import listing, words
from fooling.store.snapshot import name_of
from fooling.store.statistics import Statistics

if TYPE_CHECKING:
    from fooling.store.snapshot import Snapshot

_FEW = 20  # classes that are listed one by one
_EXTREMES = 10
_GROUPS = 12


def headlines(view: Snapshot) -> list[str]:
    """Plain lines: which run it is, what it cost, how sure the classifier is, how many elites are top-1."""
    what = dict(facts(view))
    identity = f"{name_of(view.directory)}: {what['Model']}, {what['Encoding']}, {what['Search']}, seed {what['Seed']}"
    nan = [nan_line(view)] if view.nan_images else []
    return [identity, cost_line(view), summary_line(view), top1_line(view), *nan]


def table(view: Snapshot) -> Table:
    """A run's elites of the classes that its search is for: class, label, confidence, first answer of each;
    or, of more than 20 classes, how many are in each band of confidence, the groups (where the classifier
    names some), and the ten most and least confident."""
    if len(view.target_classes) <= _FEW:
        return _elites(view, view.target_classes.tolist())
    parts = [_bands(view)]
    if view.groups:
        parts.append(_groups(view))
    parts.append(_extremes(view))
    page = Table.grid(padding=(0, 0, 1, 0))
    for part in parts:
        page.add_row(part)
    return page


def _elites(view: Snapshot, classes: Iterable[int], title: str | None = None) -> Table:
    page = listing(title)
    page.add_column("class", justify="right", no_wrap=True)
    page.add_column("label", max_width=20, no_wrap=True, overflow="ellipsis")
    page.add_column("confidence", justify="right", no_wrap=True)
    page.add_column("generation", justify="right", no_wrap=True)
    page.add_column("first answer", max_width=20, no_wrap=True, overflow="ellipsis")
    for index in classes:
        found = f"{view.ids[index, 0]:,}" if view.occupied[index] else "–"
        answer = first_answer(view, index) or ("unknown" if view.occupied[index] else "–")
        page.add_row(
            str(index), view.labels[index], format_confidence(float(view.confidence[index])), found, answer
        )
    return page


def _bands(view: Snapshot) -> Table:
    counts = np.bincount(band_of(view.confidence[view.target_classes]), minlength=len(BANDS) + 1)
    names = [band.name for band in BANDS] + [VACANT]
    page = listing()
    page.add_column("confidence")
    page.add_column("classes", justify="right")
    page.add_column("")
    for name, count in zip(names, counts.tolist(), strict=True):
        if count or name != VACANT:
            page.add_row(name, f"{count:,}", Bar(len(view.target_classes), 0, count, width=40))
    return page


def _groups(view: Snapshot) -> Table:
    """The largest groups; the last line says how many are not shown."""
    page = listing()
    page.add_column("group", max_width=28, no_wrap=True, overflow="ellipsis")
    for heading in ("classes", "median", "at 99 %", "at 99.99 %"):
        page.add_column(heading, justify="right", no_wrap=True)
    groups = {name: np.intersect1d(members, view.target_classes) for name, members in view.groups.items()}
    by_size = sorted(
        ((name, members) for name, members in groups.items() if len(members)),
        key=lambda item: (-len(item[1]), item[0]),
    )
    for name, members in by_size[:_GROUPS]:
        found = Statistics.of(view.confidence[members])
        above = f"{found.at_least_99:,}", f"{found.at_least_9999:,}"
        page.add_row(name, f"{found.classes:,}", format_confidence(found.median), *above)
    if len(by_size) > _GROUPS:
        page.add_row(words(f"and {len(by_size) - _GROUPS} smaller ones", style="dim"))
    return page


def _extremes(view: Snapshot) -> Table:
    """The most and the least confident elites."""
    held = np.flatnonzero(view.occupied)
    order = held[np.argsort(-view.confidence[held], kind="stable")].tolist()
    page = Table.grid(padding=(0, 0, 1, 0))
    page.add_row(_elites(view, order[:_EXTREMES], "most confident"))
    page.add_row(_elites(view, order[::-1][:_EXTREMES], "least confident"))
    return page
