"""A transfer matrix in the terminal, a line per source and target; fits 80 columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rich.console import RenderableType

from fooling.confidence import format_confidence
from fooling.present.listing import listing, words
from fooling.studies.transfer.document import fooled_by, short


def pages(data: Mapping[str, Any], names: Mapping[str, str]) -> Iterator[RenderableType]:
    """The table, and the images that fool all.

    Args:
        data: a transfer document.
        names: source directory -> name.
    """
    page = listing()
    page.add_column("elites of (images)", overflow="fold")
    page.add_column("shown to", overflow="fold")
    for heading in ("same top-1 (95 %)", "top-5", "median"):
        page.add_column(heading, justify="right", no_wrap=True)
    last = None
    for cell in data["cells"]:
        source = cell["source"]
        page.add_row(
            f"{names[source]} ({cell['images']:,})" if source != last else "",
            words(short(cell["target"]), style="bold" if cell["source_model"] == cell["target"] else ""),
            *_figures(cell),
        )
        last = source
    yield page
    if len(data["targets"]) > 1:
        every = len(fooled_by(data, data["targets"]))
        yield f"{every:,} of {len(data['images']):,} images fool all {len(data['targets'])} targets."
    without = sum(cell["without_class"] for cell in data["cells"])
    if without:
        yield f"{without:,} answers are not counted: the target has no such class."


def _figures(cell: Mapping[str, Any]) -> tuple[str, str, str]:
    """Top-1 with its interval, top-5, median; dashes where the target has none of the images' classes."""
    if not cell["images"]:
        return "–", "–", "–"
    low, high = (_percent(end, 0) for end in cell["same_top1_ci95"])
    top1 = f"{_percent(cell['same_top1'], 1)} ({low} to {high})"
    return top1, _percent(cell["same_top5"], 1), format_confidence(cell["median_confidence"])


def _percent(share: float, decimals: int) -> str:
    return f"{100 * share:.{decimals}f} %"
