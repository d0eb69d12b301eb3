"""What was learnt, in sentences, and the table for the terminal."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import RenderableType

from fooling.confidence import format_confidence
from fooling.present.listing import listing
from fooling.studies.explain.result import Group, Result
from fooling.studies.rank_tests import format_p

_HALF = 0.5


def sentences(result: Result) -> list[str]:
    """What the numbers of a run say, a sentence for each question that they answer."""
    found = []
    if result.cells_needed is not None:
        found.append(
            f"A small part is enough: in the median {percent(result.cells_needed)} of an image's cells alone, on its "
            f"{_origin(result.origin)}, have a confidence of 99 %."
        )
    elites = next(group for group in result.groups if group.name == "elites")
    found.append(_layout(elites))
    found += [_beside(group) for group in result.groups if group.name != "elites"]
    found.append(
        f"Half of the confidence is there once spatial frequencies up to {percent(result.half_radius)} of the highest are: "
        + (
            "the decision is in the coarse parts."
            if result.half_radius < 0.34
            else "the decision needs fine parts."
        )
    )
    if result.edges_needed is not None:
        found.append(
            f"Of the CPPNs' edges, {percent(result.edges_needed)} (median) keep a confidence of 99 %; the rest is ballast of "
            "evolution."
        )
    if result.values_needed is not None:
        found.append(
            f"A black image needs {result.values_needed:,.0f} values moved (median) to be taken for the class with 99 %."
        )
    if result.information:
        believed = [one for one in result.information if one.concluded]
        found.append(
            f"Layers that tell of the labels beyond what permuted labels would: {len(believed)} of "
            f"{len(result.information)}; for the others the estimate is at its ceiling, and nothing is concluded."
        )
    return found


def pages(result: Result) -> Iterator[RenderableType]:
    """A line for each elite, then what was learnt, then how far each map can be trusted."""
    table = listing()
    table.add_column("class", max_width=24, no_wrap=True, overflow="ellipsis")
    for heading in ("confidence", "cells needed", "shuffled 4x4", "saturated", "half at radius"):
        table.add_column(heading, justify="right", no_wrap=True)
    for one in result.elites:
        needed = f"{len(one.removal.needed)} of {one.removal.side**2}" if one.removal.needed else "–"
        shuffled = (
            one.probe.shuffled[one.probe.tiles.index(4)] if 4 in one.probe.tiles else one.probe.shuffled[-1]
        )
        table.add_row(
            one.label,
            format_confidence(one.confidence),
            needed,
            percent(shuffled),
            percent(one.probe.saturated[-1]),
            f"{one.bands.half:.2f}",
        )
    yield table
    yield from sentences(result)
    yield from (f"{name}: not measured; {why}." for name, why in result.not_measured.items())
    yield from trust(result)


def trust(result: Result) -> list[str]:
    """Whether the maps can be believed, a sentence for each method."""
    return [
        f"{one.method[:1].upper()}{one.method[1:]}: confidence falls {'sooner' if one.deletion < one.random else 'no sooner'} than in random order "
        f"(area {one.deletion:.2f} against {one.random:.2f}; better for {percent(one.better)} of {one.n} elites, Wilcoxon p = "
        f"{format_p(one.p)}){'' if one.beats_random else ': not beyond chance'}."
        for one in result.trust
    ]


def _layout(group: Group) -> str:
    shuffled, saturated = group.left_shuffled, group.left_saturated
    if shuffled < _HALF <= saturated:
        kind = "It is layout rather than texture"
    elif saturated < _HALF <= shuffled:
        kind = "It is texture rather than layout"
    elif max(shuffled, saturated) < _HALF:
        kind = "It is both layout and texture"
    else:
        kind = "It is neither layout nor texture alone"
    return (
        f"{kind}: with 16 tiles shuffled an elite keeps {_kept(shuffled)} its confidence (median of {group.n}); with all "
        f"values pushed to black or white it keeps {_kept(saturated)} it."
    )


def _beside(group: Group) -> str:
    names = {
        "generation 0": "Their ancestors in generation 0, in their own first answers,",
        "real": "Real images",
    }
    return f"{names[group.name]} keep {_kept(group.left_shuffled)} theirs shuffled, {_kept(group.left_saturated)} it saturated (n = {group.n})."


def _kept(share: float) -> str:
    return f"{percent(share)} of" if share < 0.995 else "all of"


def percent(share: float) -> str:
    """A share in whole percent, with a digit more where it is small."""
    return f"{100 * share:.0f} %" if share >= 0.1 or share == 0 else f"{100 * share:.1f} %"


def _origin(kind: str) -> str:
    return {"mean": "mean colour", "blank": "black", "ancestor": "ancestor in generation 0"}[kind]
