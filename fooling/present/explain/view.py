"""What the page of an explanation shows, ready for its template, on a disk and in the service alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import PurePath
from typing import Any

from fooling.confidence import format_confidence
from fooling.present.explain import pictures, words
from fooling.present.explain.words import percent
from fooling.present.facts import encoding_name
from fooling.studies.explain.network import Edge
from fooling.studies.explain.result import Explained, Result

WIDTH, HEIGHT = 220, 92  # of a chart, without its labels
_INPUTS = ("x", "y", "distance", "bias")
_EDGES = 8  # that are shown
_SMALL = 120  # pixels: images below are enlarged by whole pixels

Source = Callable[[int, str], str]  # where the picture of a class and a kind (`pictures`) is


def drawn(result: Result, name: str, source: Source) -> dict[str, Any]:
    """What the template is given: JSON-like.

    Args:
        name: of the run.
        source: gives what `src` of an image is.
    """
    return {
        "name": name,
        "model": result.model,
        "encoding": encoding_name(result.encoding),
        "sentences": words.sentences(result),
        "trust": words.trust(result),
        "not_measured": result.not_measured,
        "pixelated": max(result.shape[:2]) < _SMALL,
        "width": WIDTH,
        "height": HEIGHT,
        "elites": [_elite(one, result.shape[2], source) for one in result.elites],
    }


def name_of(result: Result) -> str:
    """The name of the run of a result: that of its directory."""
    return PurePath(result.run).name or result.run


def path(values: Sequence[float], shares: Sequence[float] | None = None) -> str:
    """The path of a curve of values in [0, 1] in a chart, over shares of its width (default: equal steps)."""
    at = shares or [place / max(1, len(values) - 1) for place in range(len(values))]
    points = (
        f"{WIDTH * share:.1f} {HEIGHT * (1 - value):.1f}" for share, value in zip(at, values, strict=True)
    )
    return "M" + "L".join(points)


def _elite(one: Explained, channels: int, source: Source) -> dict[str, Any]:
    removal = one.removal
    return {
        "class": one.number,
        "label": one.label,
        "confidence": format_confidence(one.confidence),
        "rival": removal.rival_label,
        "src": {kind: source(one.number, kind) for kind in pictures.kinds(one)},
        "shares": {kind: percent(share) for kind, share in removal.shares.items()},
        "needed": f"{len(removal.needed)} of {len(removal.kinds)} cells alone have a confidence of "
        f"{format_confidence(removal.needed_confidence)}."
        if removal.needed_confidence is not None
        else "The elite has less than 99 % itself.",
        "maps": [
            {
                "method": found.method,
                "kind": f"map-{place}",
                "areas": f"Deletion area {found.curve.deletion_area:.2f}, in random order "
                f"{found.curve.random_deletion_area:.2f}.",
            }
            for place, found in enumerate(one.maps)
        ],
        "charts": _charts(one),
        "few": [{"changed": few.changed, "confidence": format_confidence(few.confidence)} for few in one.few],
        "looked": None
        if one.looked is None
        else f"{percent(one.looked.share)} of the image's difference to its origin lies where {one.looked.layer} looks "
        f"(evenly spread: {percent(one.looked.chance)}).",
        "network": _network(one, channels),
    }


def _charts(one: Explained) -> list[dict[str, Any]]:
    best = min((found.curve for found in one.maps), key=lambda curve: curve.deletion_area)
    probe, bands = one.probe, one.bands
    return [
        _chart("Pixels taken away, put in", ("none", "all"),
               (f"taken away in the order of {best.method}", best.deletion, None), ("put in", best.insertion, None)),
        _chart("Texture or layout", ("as it is", "most changed"),
               (f"tiles shuffled, 1 to {probe.tiles[-1]} in a row", probe.shuffled, None),
               ("values pushed to the ends", probe.saturated, None)),
        _chart("Which frequencies", ("0", "the highest"),
               ("up to the radius", bands.low_pass, bands.radii), ("from the radius on", bands.high_pass, bands.radii)),
    ]  # fmt: skip


_Line = tuple[str, Sequence[float], Sequence[float] | None]  # a name, values, and where they are


def _chart(title: str, ends: tuple[str, str], first: _Line, second: _Line) -> dict[str, Any]:
    told = [
        f"{name} from {percent(values[0])} to {percent(values[-1])}" for name, values, _ in (first, second)
    ]
    return {
        "title": title,
        "ends": ends,
        "paths": [path(values, at) for _, values, at in (first, second)],
        "names": f"{first[0]} (solid), {second[0]} (dashed)",
        "described": f"{title}: {'; '.join(told)}",
    }


def _network(one: Explained, channels: int) -> dict[str, Any] | None:
    if one.network is None:
        return None
    edges = sorted(one.network.edges, key=lambda edge: -abs(edge.loss))[:_EDGES]
    told = f"{len(one.network.edges)} edges."
    if one.network.needed_confidence is not None:
        sure = format_confidence(one.network.needed_confidence)
        told = f"{one.network.needed} of {len(one.network.edges)} edges alone have {sure}."
    return {"edges": [_edge(edge, channels) for edge in edges], "told": told}


def _edge(edge: Edge, channels: int) -> dict[str, str]:
    return {
        "name": f"{_node(edge.source, channels)} → {_node(edge.target, channels)}",
        "weight": f"{edge.weight:.2f}",
        "loss": f"{edge.loss:.1f}",
    }


def _node(number: int, channels: int) -> str:
    if number < len(_INPUTS):
        return _INPUTS[number]
    output = number - len(_INPUTS)
    if output < channels:
        return "output" if channels == 1 else f"output {output + 1}"
    return f"node {number}"
