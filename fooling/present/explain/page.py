"""An explanation as one HTML file: pictures and curves, no script, nothing fetched."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePath
from typing import Any

from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup

from fooling.confidence import format_confidence
from fooling.present.explain import pictures, words
from fooling.present.gallery import csp_hash
from fooling.present.web.bundle import stylesheet
from fooling.store.reading import open_run
from fooling.studies.explain.network import Edge
from fooling.studies.explain.result import Explained, Result
from fooling.text import plain

PAGE, DATA, KIND = "explain.html", "explanation.json", "fooling explanation"
_TEMPLATES = Path(__file__).with_name("templates")
_WIDTH, _HEIGHT = 220, 92  # of a chart, without its labels
_INPUTS = ("x", "y", "distance", "bias")


def page(result: Result) -> str:
    """The page of a run's explanation."""
    run = open_run(result.run)
    style = stylesheet("tokens.css") + (_TEMPLATES / "explain.css").read_text(encoding="utf-8")
    environment = Environment(loader=FileSystemLoader(_TEMPLATES), autoescape=True, trim_blocks=True)
    environment.filters |= {
        "confidence": format_confidence,
        "plain": plain,
        "path": path,
        "percent": words.percent,
    }
    outputs = 1 if run.spec.config.encoding.colour == "grey" else 3
    return environment.get_template("explain.html.j2").render(
        result=result,
        name=PurePath(result.run).name or result.run,
        sentences=words.sentences(result),
        trust=words.trust(result),
        elites=[
            _shown(one, run.stored_pixels[run.stored_rows[one.number]], outputs) for one in result.elites
        ],
        pixelated=max(run.stored_pixels.shape[1:3]) < 120,
        width=_WIDTH,
        height=_HEIGHT,
        style=Markup(style),
        style_hash=csp_hash(style),
    )


def path(values: Sequence[float], shares: Sequence[float] | None = None) -> str:
    """The path of a curve of values in [0, 1] in a chart, over shares of its width (default: equal steps)."""
    at = shares or [place / max(1, len(values) - 1) for place in range(len(values))]
    points = (
        f"{_WIDTH * share:.1f} {_HEIGHT * (1 - value):.1f}" for share, value in zip(at, values, strict=True)
    )
    return "M" + "L".join(points)


def _shown(one: Explained, pixels: Any, outputs: int) -> dict[str, Any]:
    strongest: list[dict[str, Any]] = []
    if one.network is not None:
        edges = sorted(one.network.edges, key=lambda edge: -abs(edge.loss))[:8]
        strongest = [_edge(edge, outputs) for edge in edges]
    return {
        "one": one,
        "image": pictures.elite(pixels),
        "effects": pictures.effects(pixels, one.removal),
        "needed": pictures.needed(pixels, one.removal) if one.removal.needed else None,
        "maps": [(found, pictures.weights(pixels, found.side, found.cells)) for found in one.maps],
        "edges": strongest,
    }


def _edge(edge: Edge, outputs: int) -> dict[str, Any]:
    return {"edge": edge, "from": _node(edge.source, outputs), "to": _node(edge.target, outputs)}


def _node(number: int, outputs: int) -> str:
    if number < len(_INPUTS):
        return _INPUTS[number]
    output = number - len(_INPUTS)
    if output < outputs:
        return "output" if outputs == 1 else f"output {output + 1}"
    return f"node {number}"
