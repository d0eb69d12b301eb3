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
        low, high = cell["same_top1_ci95"]
        listing.add_row(
            Text(f"{names[source]} ({cell['images']:,})" if source != last else ""),
            Text(short(cell["target"]), style="bold" if cell["source_model"] == cell["target"] else ""),
            f"{cell['same_top1']:.1%} ({low:.0%} to {high:.0%})",
            f"{cell['same_top5']:.1%}",
            format_confidence(cell["median_confidence"]),
        )
        last = source
    yield listing
    if len(data["targets"]) > 1:
        every = len(fooled_by(data, data["targets"]))
        yield Text(f"{every:,} of {len(data['images']):,} images fool all {len(data['targets'])} targets.")
    without = sum(cell["without_class"] for cell in data["cells"])
    if without:
        yield Text(f"{without:,} answers are not counted: the target has no such class.")
