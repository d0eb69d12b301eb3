"""A contact sheet: a run's elites on one page, in the manner of figures 4 to 8 of Nguyen, Yosinski & Clune
(2015). Every image pixel becomes a square of whole pixels of the page; nothing is resampled."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from fooling.confidence import format_confidence
from fooling.errors import NotFoundError
from fooling.present import fonts
from fooling.present.facts import classifier_of, encoding_of, first_answer, length_of, summary_line, top1_line
from fooling.present.grid import Grid, squares
from fooling.text import plain

if TYPE_CHECKING:
    from PIL.ImageFont import FreeTypeFont

    from fooling.store.snapshot import Snapshot

Sort = Literal["class", "confidence"]

# Greys, so that the sheet of a grey classifier is a grey PNG.
_PAPER, _FRAME, _INK, _SOFT = 252, 214, 28, 110
_COMFORTABLE = 140  # a cell is zoomed to about this many pixels
_LEADING = 1.45  # of the heading, in font sizes
_ELLIPSIS = "…"


def contact_sheet(
    view: Snapshot,
    *,
    columns: int | None = None,
    limit: int | None = None,
    classes: Sequence[int] | None = None,
    zoom: int | None = None,
    sort: Sort = "class",
    title: str | None = None,
    warn: Callable[[str], None] | None = None,
) -> Image.Image:
    """A page of elites, each with its label and confidence.

    Args:
        columns: elites per row (default: what makes a landscape page with few gaps).
        limit: show only so many, the most confident; the page says so.
        classes: show only these class indices, in the order of `sort`.
        zoom: page pixels per image pixel, a whole number (default: cells of about 140 x 140 pixels, or as many).
        sort: by class index, or by confidence, highest first.
        title: the page's heading.
        warn: called with what is wrong with the letters on the page, one line each.

    Returns:
        An image of mode L where the classifier sees grey, else RGB.

    Raises:
        NotFoundError: a class that does not exist, or no elite to show.
        ValueError: columns, limit or zoom below 1.
    """
    for name, value in (("columns", columns), ("limit", limit), ("zoom", zoom)):
        if value is not None and value < 1:
            raise ValueError(f"{name}: expected 1 or more, found {value}")
    chosen = choose(view, classes, limit, sort)
    answers = [first_answer(view, index) for index in chosen.tolist()]
    height, width = view.stored_pixels.shape[1:3]
    scale = zoom or max(1, round(_COMFORTABLE / math.sqrt(height * width)))
    cell_width = scale * max(width, height // 2)  # a high image needs room for its label
    page = _Page(
        width=cell_width,
        height=scale * height,
        columns=min(columns or landscape(len(chosen), scale * height / cell_width), len(chosen)),
        cells=len(chosen),
        heading=plain(title or f"The best images found for the classes of {classifier_of(view)}"),
        subtitle=tuple(
            map(plain, _subtitle(view, len(chosen), surest=limit is not None and classes is None))
        ),
        told=any(answer != "top-1" for answer in answers),
    )
    if warn is not None:
        for line in fonts.lacking(_texts(view, page, chosen.tolist(), answers)):
            warn(line)
    sheet = Image.new(
        "L" if view.stored_pixels.shape[3] == 1 else "RGB", page.grid.size(page.cells), _grey(view, _PAPER)
    )
    draw = ImageDraw.Draw(sheet)
    _draw_heading(draw, page, view)
    for cell, index in enumerate(chosen):
        _draw_elite(sheet, draw, page, cell, view, int(index), answers[cell], scale)
    return sheet


def choose(view: Snapshot, classes: Sequence[int] | None, limit: int | None, sort: Sort) -> NDArray[np.int64]:
    """The class indices to show, in order: those with an elite.

    Raises:
        NotFoundError: a class that does not exist, or nothing is left.
    """
    total = len(view.labels)
    for index in classes if classes is not None else ():
        if not 0 <= index < total:
            raise NotFoundError(f"no class {index}: expected 0 to {total - 1}")
    candidates = np.arange(total) if classes is None else np.unique(np.asarray(classes, np.int64))
    candidates = candidates[view.stored_rows[candidates] >= 0]
    if not len(candidates):
        raise NotFoundError(f"{view.directory}: no elite to show yet")
    best_first = candidates[np.argsort(-view.confidence[candidates], kind="stable")][:limit]
    return best_first if sort == "confidence" else np.sort(best_first)


def landscape(count: int, height: float = 1.0) -> int:
    """Columns for so many cells with images `height` times as high as the cell is wide, and captions a third as
    high: few gaps in the last row, and a page about 1.6 times as wide as high, as square images count."""
    aspect = (4 / 3) / (height + 1 / 3)

    def cost(columns: int) -> float:
        rows = math.ceil(count / columns)
        gaps = rows * columns - count
        return gaps / columns + abs(math.log(aspect * columns / rows / 1.6))

    return min(range(1, count + 1), key=cost)


@dataclass(frozen=True)
class _Page:
    """The measures of a page, all from the size of its cells."""

    width: int  # of a cell, pixels of the page
    height: int  # of an image on the page
    columns: int
    cells: int
    heading: str
    subtitle: tuple[str, ...]
    told: bool  # whether a third line below each image says what it is called: where not all are top-1

    @cached_property
    def label(self) -> FreeTypeFont:
        return fonts.font(min(26, max(11, self.width // 9)))

    @cached_property
    def figure(self) -> FreeTypeFont:
        return fonts.font(min(23, max(10, self.width // 10)))

    @cached_property
    def title(self) -> FreeTypeFont:
        return _fitting_font(self.heading, self.inner, max(self.label.size * 2.0, self.inner / 50))

    @cached_property
    def small(self) -> FreeTypeFont:
        longest = max(self.subtitle, key=len)
        return _fitting_font(longest, self.inner, max(self.label.size * 1.05, self.inner / 100))

    @property
    def gap(self) -> int:
        return max(10, self.width // 8)

    @property
    def margin(self) -> int:
        return 2 * self.gap

    @property
    def inner(self) -> int:
        """The width between the margins."""
        return self.columns * self.width + (self.columns - 1) * self.gap

    @property
    def caption(self) -> int:
        """The height of an image's two or three lines of text."""
        figures = (2 if self.told else 1) * self.figure.size
        return round(0.6 * self.label.size + 1.25 * (self.label.size + figures))

    @property
    def top(self) -> int:
        """Where the first row begins."""
        lines = self.title.size + len(self.subtitle) * self.small.size
        return round(self.margin + _LEADING * lines + self.gap)

    @property
    def grid(self) -> Grid:
        return Grid(
            self.columns, self.width, self.height, self.caption, self.gap, self.margin, self.top, self.margin
        )


def _subtitle(view: Snapshot, shown: int, surest: bool = False) -> tuple[str, ...]:
    total = len(view.target_classes)
    part = "" if shown == total else f"{shown:,} of {total:,} classes shown. "
    if part and surest:
        part = f"The {shown:,} surest of {total:,} classes shown. "
    made = f"{encoding_of(view.spec)}; {length_of(view)}, {view.evaluations:,} images tried"
    return (
        made,
        f"{part}{summary_line(view)}",
        top1_line(view),
        "None was made to look like anything; some do",
    )


def _draw_heading(draw: ImageDraw.ImageDraw, page: _Page, view: Snapshot) -> None:
    x, y = page.margin, float(page.margin)
    heading = _shorten(page.heading, page.title, page.inner)
    fonts.write(draw, (x, y), heading, _grey(view, _INK), page.title.size)
    y += _LEADING * page.title.size
    for line in page.subtitle:
        fonts.write(draw, (x, y), _shorten(line, page.small, page.inner), _grey(view, _SOFT), page.small.size)
        y += _LEADING * page.small.size


def _draw_elite(
    sheet: Image.Image,
    draw: ImageDraw.ImageDraw,
    page: _Page,
    cell: int,
    view: Snapshot,
    index: int,
    answer: str,
    scale: int,
) -> None:
    x, y = page.grid.corner(cell)
    image = squares(view.stored_pixels[view.stored_rows[index]], scale)
    draw.rectangle((x - 1, y - 1, x + image.width, y + page.height), outline=_grey(view, _FRAME))
    sheet.paste(image, (x, y))
    y += page.height + round(0.45 * page.label.size)
    label = _fit(view.labels[index], page.label, page.width)
    fonts.write(draw, (x, y), label, _grey(view, _INK), page.label.size)
    y += round(1.25 * page.label.size)
    confidence = format_confidence(float(view.confidence[index]))
    fonts.write(draw, (x, y), confidence, _grey(view, _SOFT), page.figure.size)
    if page.told:
        y += round(1.25 * page.figure.size)
        answer = _shorten(plain(answer), page.figure, page.width)
        fonts.write(draw, (x, y), answer, _grey(view, _SOFT), page.figure.size)


def _fit(label: str, font: FreeTypeFont, width: int) -> str:
    """The label in one line: whole, or its first synonym, or shortened with an ellipsis."""
    label = plain(" ".join(label.split()))
    for text in (label, label.split(",")[0]):
        if _length(text, font) <= width:
            return text
    return _shorten(text, font, width)


def _shorten(text: str, font: FreeTypeFont, width: int) -> str:
    """The text, cut with an ellipsis where it is wider."""
    if _length(text, font) <= width:
        return text
    while text and _length(text + _ELLIPSIS, font) > width:
        text = text[:-1]
    return text.rstrip() + _ELLIPSIS


def _length(text: str, like: FreeTypeFont) -> float:
    """The width of the text in the font that it is drawn with, at the size of another."""
    return fonts.font(like.size, text).getlength(text)


def _fitting_font(text: str, width: int, size: float) -> FreeTypeFont:
    """The font at that size, or smaller where the text would be wider than `width`."""
    length = fonts.font(size, text).getlength(text)
    return fonts.font(max(8.0, size * min(1.0, width / length)) if length else size)


def _texts(view: Snapshot, page: _Page, shown: Sequence[int], answers: Sequence[str]) -> list[str]:
    """What is written on the page, before anything is shortened."""
    return [
        page.heading,
        *page.subtitle,
        *(plain(view.labels[index]) for index in shown),
        *map(plain, answers),
    ]


def _grey(view: Snapshot, value: int) -> int | tuple[int, int, int]:
    return value if view.stored_pixels.shape[3] == 1 else (value, value, value)
