"""The ancestors of an elite: the line of parents in the terminal, and one HTML file with a strip of images."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import PurePath

from jinja2 import Environment, PackageLoader
from rich.console import RenderableType

from fooling.confidence import format_confidence
from fooling.present.listing import listing
from fooling.store.elites import SMALL, encode
from fooling.studies.lineage.result import Result
from fooling.text import plain


def pages(result: Result) -> Iterator[RenderableType]:
    """The line, without the mates, and how often it changed class."""
    line = listing()
    for heading in ("generation", "child"):
        line.add_column(heading, justify="right")
    line.add_column("elite of", max_width=22, no_wrap=True, overflow="ellipsis")
    line.add_column("confidence", justify="right", no_wrap=True)
    line.add_column("first answer", max_width=20, no_wrap=True, overflow="ellipsis")
    for member in result.ancestors:
        if member.line:
            held = member.held[0]
            first = "top-1" if member.top1 == held.number else f"called {member.top1_label}"
            confidence = format_confidence(held.confidence)
            line.add_row(str(member.generation), str(member.child), held.label, confidence, first)
    yield line
    count, way = len(result.ancestors), len(result.classes_on_the_way) - 1
    yield (
        f"{count:,} images, the elite included; its line changed class {way} times. In the whole run "
        f"{result.goal_switches:,} of {result.replacements:,} replacements were goal switches."
    )


def page(result: Result) -> str:
    """The HTML page, which fetches nothing and runs no script."""
    shown = [
        (member, base64.b64encode(encode(pixels, level=SMALL)).decode("ascii"))
        for member, pixels in zip(result.ancestors, result.pixels, strict=True)
    ]
    environment = Environment(loader=PackageLoader("fooling.present"), autoescape=True, trim_blocks=True)
    environment.filters |= {"confidence": format_confidence, "plain": plain}
    return environment.get_template("lineage.html.j2").render(
        result=result,
        name=PurePath(result.run).name or result.run,
        pixelated=max(result.pixels.shape[1:3]) < 120,
        line=[one for one in shown if one[0].line],
        mates=[one for one in shown if not one[0].line],
    )
