"""A transfer matrix in the terminal, a line per source and target; fits 80 columns."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import RenderableType

from fooling.confidence import format_confidence
from fooling.model_specs import short
from fooling.present.listing import listing, words
from fooling.studies.transfer.result import Cell, Result


def pages(result: Result) -> Iterator[RenderableType]:
    """The table, and how many images fool all targets."""
    page = listing()
    page.add_column("elites of (images)", overflow="fold")
    page.add_column("shown to", overflow="fold")
    for heading in ("same top-1 (95 %)", "top-5", "median"):
        page.add_column(heading, justify="right", no_wrap=True)
    names, last = result.names, None
    for cell in result.cells:
        page.add_row(
            f"{names[cell.source]} ({cell.images:,})" if cell.source != last else "",
            words(short(cell.target), style="bold" if cell.at_home else ""),
            *figures(cell),
        )
        last = cell.source
    yield page
    if len(result.targets) > 1:
        every = len(result.fooling_all)
        yield f"{every:,} of {len(result.images):,} images fool all {len(result.targets)} targets."
    without = sum(cell.without_class for cell in result.cells)
    if without:
        yield f"{without:,} answers are not counted: the target has no such class."


def figures(cell: Cell) -> tuple[str, str, str]:
    """Top-1 with its interval, top-5, median; dashes where the target has none of the images' classes."""
    if cell.same_top1_ci95 is None or cell.median_confidence is None:
        return "–", "–", "–"
    low, high = cell.same_top1_ci95
    top1 = f"{_percent(cell.same_top1, 1)} ({_percent(low, 0)} to {_percent(high, 0)})"
    return top1, _percent(cell.same_top5, 1), format_confidence(cell.median_confidence)


def _percent(share: float | None, decimals: int) -> str:
    return "–" if share is None else f"{100 * share:.{decimals}f} %"
