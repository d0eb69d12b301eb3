"""`goal-switching`: how often does the new elite of a class descend from the elite of another (Nguyen, Yosinski & Clune
2015, "Innovation Engines", GECCO)?

A goal switch: the new elite has a parent that, at the generation's start, was elite of other classes and not of this
one. Shares are of the replacements after the first, random generation, whose images have no parents.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from fooling.confidence import format_confidence
from fooling.present.grid import image_grid, png_of
from fooling.present.plots import TEXT, colour, panels_of, png
from fooling.reproduce.experiments.imagenet import evolved
from fooling.reproduce.result import Claim, Figure, Result, Row, percent
from fooling.reproduce.workspace import Workspace
from fooling.store.reading import lineage_of
from fooling.store.snapshot import Snapshot
from fooling.studies.lineage.replay import replay
from fooling.studies.lineage.walk import Ancestor, ancestors, line
from fooling.studies.rank_tests import in_words, mann_whitney

PAPER = 0.179
TRIED = 10  # elites whose lines are looked at
SHOWN = 8  # images of a line


def perform(workspace: Workspace) -> Result:
    """Count goal switches on digits with both encodings, and on ImageNet's classes where there is a classifier."""
    groups = {f"digits, {encoding}": workspace.digits(encoding) for encoding in ("cppn", "direct")}
    if workspace.model is not None:
        groups = {"ImageNet, cppn": evolved(workspace, "cppn"), **groups}
    shares = {name: [switched(view) for view in views] for name, views in groups.items()}
    first = next(iter(groups))
    encodings = [np.array(shares[f"digits, {encoding}"]) for encoding in ("cppn", "direct")]
    return Result(
        claims(first, shares[first]),
        tuple(
            Row.over(f"{name}: replacements that are goal switches", values, percent, _PAPER[name])
            for name, values in shares.items()
        )
        + tuple(_halves(name, views) for name, views in groups.items()),
        (f"CPPN beside direct digits, a value a run: {in_words(mann_whitney(*encodings))}.",),
        (_curves(groups), _line(groups[first][0])),
        _NOTES,
        {name: [_counts(view) for view in views] for name, views in groups.items()},
    )


_PAPER = {"ImageNet, cppn": "17.9 % (ImageNet)", "digits, cppn": "17.9 % (ImageNet)", "digits, direct": "–"}
_NOTES = (
    "Parents are drawn evenly from the cells, so nearly all of them are strangers to the class that is won: nine of ten "
    "on digits, 999 of 1,000 on ImageNet. A share far below that says that children of a class's own elite win it "
    "far more often. With ten classes and elites near certainty there is less to switch to than with a thousand."
)


def switched(view: Snapshot) -> float:
    """The share of a run's replacements, those of the first generation left out, that are goal switches."""
    return _share(_counts(view))


def _share(counts: Mapping[str, int]) -> float:
    return counts["goal_switches"] / max(1, counts["replacements"])


def _counts(view: Snapshot, half: int | None = None) -> dict[str, int]:
    """The replacements and goal switches of a run, or of one half of its generations."""
    counts = _by_generation(view)
    middle = counts.shape[1] // 2
    part = slice(middle if half == 1 else 0, middle if half == 0 else None)
    switches, replacements = counts[:, part].sum(axis=1).tolist()
    return {"replacements": replacements, "goal_switches": switches}


def claims(name: str, shares: Sequence[float]) -> tuple[Claim, ...]:
    """Goal switches happen in each run, and make up half to twice the paper's share of the replacements."""
    middle = float(np.median(shares))
    close = PAPER / 2 <= middle <= PAPER * 2
    how = "within a factor of two of" if close else "far more than" if middle > PAPER else "far less than"
    return (
        Claim("New champions descend from champions of other classes", min(shares) > 0,
              f"Of the replacements {percent(middle)} are goal switches ({name}, median of {len(shares)} runs)."),
        Claim(f"About {percent(PAPER)} do", close, f"That is {how} the paper's {percent(PAPER)}."),
    )  # fmt: skip


def _halves(name: str, views: Sequence[Snapshot]) -> Row:
    """The shares of goal switches early and late in the runs."""
    early, late = ([_counts(view, half) for view in views] for half in (0, 1))
    medians = [percent(float(np.median(list(map(_share, half))))) for half in (early, late)]
    told = f"{medians[0]} and {medians[1]} (medians, n = {len(views)})"
    return Row(f"{name}: in the first half of the generations, and in the second", "–", told)


def _by_generation(view: Snapshot) -> NDArray[np.int64]:
    """(2, generations): the goal switches and the replacements of each generation after the first."""
    bred = [event for event in view.curve if event["generation"] > 0]
    return np.array([[event[key] for event in bred] for key in ("goal_switches", "replacements")], np.int64)


def _curves(groups: dict[str, list[Snapshot]]) -> Figure:
    """The shares in stretches of generations, each twice as long as the one before, with all runs pooled."""
    figure, (left, right) = panels_of(1, 2, 11, 3.6)
    for number, (name, views) in enumerate(groups.items()):
        counts = np.array([_by_generation(view) for view in views]).sum(axis=0)
        edges = _stretches(counts.shape[1])
        switches, replacements = np.add.reduceat(counts, edges[:-1], axis=1)
        x = [*(edges[:-1] + 1), counts.shape[1]]
        for axes, values in (
            (left, switches / np.maximum(replacements, 1)),
            (right, replacements / np.diff(edges) / len(views)),
        ):
            axes.step(x, [*values, values[-1]], where="post", color=colour(number), lw=1.8, label=name)
    left.axhline(PAPER, color="#777777", lw=1.2, ls=":")
    left.set_ylabel("goal switches per replacement\n(dotted: the paper's, unverified)", fontsize=TEXT)
    left.set_ylim(bottom=0)
    right.set_ylabel("replacements per generation", fontsize=TEXT)
    right.set_yscale("log")
    for axes in (left, right):
        axes.set_xscale("log")
        axes.set_xlabel("generation", fontsize=TEXT)
    left.legend(frameon=False, fontsize=TEXT)
    return Figure(
        "curves",
        "On the left the share of goal switches over the generations, in stretches that double, runs pooled; on the "
        "right how many classes get a new elite in a generation.",
        png(figure),
    )


def _stretches(generations: int) -> NDArray[np.int64]:
    """The edges 0, 1, 3, 7, ... of stretches of so many generations."""
    edges = 2 ** np.arange(generations.bit_length() + 1) - 1
    return np.unique(np.append(edges[edges < generations], generations))


def _line(view: Snapshot) -> Figure:
    """The elite, among the `TRIED` most confident, whose line changed classes most often: an image for each change."""
    records = lineage_of(view)
    families = {
        number: ancestors(records, tuple(view.ids[number].tolist()))
        for number in np.argsort(-np.nan_to_num(view.confidence), kind="stable")[:TRIED].tolist()
        if view.stored_rows[number] >= 0
    }
    number = max(families, key=lambda one: (len(stations(line(families[one]), one)), -one))
    replayed = replay(view, families[number])
    places = {ancestor.identity: place for place, ancestor in enumerate(replayed.family)}
    chosen = stations(line(replayed.family), number)[-SHOWN:]
    images, captions = [], []
    for ancestor, held in chosen:
        place = places[ancestor.identity]
        images.append(replayed.pixels[place])
        label = view.labels[held].split(",")[0][:16]
        confidence = format_confidence(float(replayed.confidences[place, held]))
        captions.append(f"generation {ancestor.generation}\n{label}: {confidence}")
    return Figure(
        "line",
        f'The line of descent of the elite of "{view.labels[number]}": each time it changes the class it holds, the '
        "ancestor that was chosen as parent last, the class it held then and its confidence in it.",
        png_of(image_grid(images, captions, columns=SHOWN)),
    )


def stations(way: Sequence[Ancestor], number: int) -> list[tuple[Ancestor, int]]:
    """The last image of each stretch of a line that held one class, and that class.

    Args:
        way: the oldest first; the last is the elite of class `number`.
    """
    held = [child.held[0] for child in way[1:]] + [number]
    last = [place + 1 == len(way) or held[place] != held[place + 1] for place in range(len(way))]
    return [(way[place], held[place]) for place in range(len(way)) if last[place]]
