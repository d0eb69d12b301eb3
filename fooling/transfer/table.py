"""A transfer matrix in the terminal, a line per source and target; fits 80 columns.

Names come from users' files, so they are printed as plain text, never as rich's markup.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from fooling.report.confidence import format_confidence
from fooling.transfer.document import fooled_by, short


def pages(data: Mapping[str, Any], names: Mapping[str, str]) -> Iterator[RenderableType]:
    """The table, and the images that fool all.

    Args:
        data: a transfer document.
        names: source directory -> name.
    """
    listing = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    listing.add_column("elites of (images)", overflow="fold")
    listing.add_column("shown to", overflow="fold")
    for heading in ("same top-1 (95 %)", "top-5", "median"):
        listing.add_column(heading, justify="right", no_wrap=True)
    last = None
    for cell in data["cells"]:
        source = cell["source"]
        listing.add_row(
            Text(f"{names[source]} ({cell['images']:,})" if source != last else ""),
            Text(short(cell["target"]), style="bold" if cell["source_model"] == cell["target"] else ""),
            *_figures(cell),
        )
        last = source
    yield listing
    if len(data["targets"]) > 1:
        every = len(fooled_by(data, data["targets"]))
        yield Text(f"{every:,} of {len(data['images']):,} images fool all {len(data['targets'])} targets.")
    without = sum(cell["without_class"] for cell in data["cells"])
    if without:
        yield Text(f"{without:,} answers are not counted: the target has no such class.")


def _figures(cell: Mapping[str, Any]) -> tuple[str, str, str]:
    """Top-1 with its interval, top-5, median; dashes where the target has none of the images' classes."""
    if not cell["images"]:
        return "–", "–", "–"
    low, high = (_percent(end, 0) for end in cell["same_top1_ci95"])
    top1 = f"{_percent(cell['same_top1'], 1)} ({low} to {high})"
    return top1, _percent(cell["same_top5"], 1), format_confidence(cell["median_confidence"])


def _percent(share: float, decimals: int) -> str:
    return f"{100 * share:.{decimals}f} %"
