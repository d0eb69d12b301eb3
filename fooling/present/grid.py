"""Images in rows, with words beside and beneath them, in the style of the paper's figures. Every pixel of an image
becomes a square of whole pixels of the page; nothing is resampled."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from fooling.present import fonts

_SIDE, _GAP, _TEXT, _LEADING = 112, 10, 13, 1.35
_PAPER, _INK = (255, 255, 255), (30, 30, 30)


@dataclass(frozen=True)
class Grid:
    """Where cells of one size stand on a page. All measures are in pixels of the page.

    Attributes:
        columns: cells in a row.
        width, height: of a cell's image.
        caption: the height of the words beneath each image.
        gap: between a cell and the next.
        left, top: what lies before the first column and above the first row.
        margin: what lies after the last column and beneath the last row.
    """

    columns: int
    width: int
    height: int
    caption: int
    gap: int
    left: int
    top: int
    margin: int

    def corner(self, cell: int) -> tuple[int, int]:
        """The left and the upper edge of a cell."""
        row, column = divmod(cell, self.columns)
        return (
            self.left + column * (self.width + self.gap),
            self.top + row * (self.height + self.caption + self.gap),
        )

    def size(self, cells: int) -> tuple[int, int]:
        """The width and the height of a page with so many cells."""
        x, y = self.corner(self.columns * -(-cells // self.columns) - 1)
        return x + self.width + self.margin, y + self.height + self.caption + self.margin


def image_grid(
    images: Sequence[NDArray[np.uint8]],
    captions: Sequence[str] = (),
    *,
    columns: int = 10,
    heads: Sequence[str] = (),
    titles: Sequence[str] = (),
    side: int = _SIDE,
    gap: int = _GAP,
) -> Image.Image:
    """A page of images in rows.

    Args:
        images: (H, W, C) uint8 each, of one size.
        captions: the words beneath each image, which may have several lines; none if empty.
        columns: images in a row.
        heads: the words to the left of each row; none if empty.
        titles: the words above each column; none if empty.
        side: about how many pixels of the page an image is wide or high.
        gap: between images, in pixels of the page.
    """
    zoom = max(1, round(side / max(images[0].shape[:2])))
    height, width = (length * zoom for length in images[0].shape[:2])
    lines = [caption.split("\n") for caption in captions]
    # A caption may be wider than a small image.
    widest = max((_length(line) for line in [*(line for one in lines for line in one), *titles]), default=0)
    grid = Grid(
        columns=min(columns, len(images)),
        width=max(width, widest),
        height=height,
        caption=round(max(map(len, lines)) * _TEXT * _LEADING) if any(captions) else 0,
        gap=gap,
        left=max(map(_length, heads), default=0) + gap,
        top=gap + (round(_TEXT * _LEADING) if titles else 0),
        margin=gap,
    )
    page = Image.new("RGB", grid.size(len(images)), _PAPER)
    draw = ImageDraw.Draw(page)
    for cell, image in enumerate(images):
        x, y = grid.corner(cell)
        page.paste(squares(image, zoom), (x + (grid.width - width) // 2, y))
        for number, line in enumerate(lines[cell] if lines else ()):
            place = x + (grid.width - _length(line)) / 2, y + height + 2 + number * _TEXT * _LEADING
            fonts.write(draw, place, line, _INK, _TEXT)
    for row, head in enumerate(heads):
        place = 2, grid.corner(row * grid.columns)[1] + (height - _TEXT) / 2
        fonts.write(draw, place, head, _INK, _TEXT)
    for column, title in enumerate(titles):
        x, _ = grid.corner(column)
        fonts.write(draw, (x + (grid.width - _length(title)) / 2, 2), title, _INK, _TEXT)
    return page


def squares(image: NDArray[np.uint8], zoom: int) -> Image.Image:
    """An image, (H, W, C) uint8, with each pixel as a square of `zoom` pixels."""
    large = image.repeat(zoom, axis=0).repeat(zoom, axis=1)
    return Image.fromarray(large[..., 0] if large.shape[2] == 1 else large)


def joined(pages: Sequence[Image.Image], down: bool = False) -> Image.Image:
    """Pages beside each other, or one beneath the other."""
    sizes = np.array([page.size for page in pages])
    along, across = sizes[:, int(down)], sizes[:, int(not down)].max()
    size = (int(across), int(along.sum())) if down else (int(along.sum()), int(across))
    whole = Image.new("RGB", size, _PAPER)
    for page, at in zip(pages, along.cumsum() - along, strict=True):
        whole.paste(page, (0, int(at)) if down else (int(at), 0))
    return whole


def png_of(page: Image.Image) -> bytes:
    """A page as a PNG that is the same each time."""
    buffer = io.BytesIO()
    page.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def _length(text: str) -> int:
    return int(fonts.font(_TEXT, text).getlength(text)) + 1 if text else 0
