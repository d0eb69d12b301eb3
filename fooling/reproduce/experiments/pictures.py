"""Images in rows with a few words beneath, in the style of the paper's figures; pixels stay squares."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

_CELL, _GAP, _TEXT, _PAPER, _INK = 112, 10, 13, 255, 30


def strip(
    images: Sequence[NDArray[np.uint8]],
    captions: Sequence[str],
    *,
    columns: int = 10,
    heads: Sequence[str] = (),
) -> bytes:
    """A PNG of images in rows.

    Args:
        images: (H, W, C) uint8 each, of one size.
        captions: beneath each; may have several lines.
        columns: images in a row.
        heads: a word to the left of each row; none if empty.
    """
    zoom = max(1, round(_CELL / max(images[0].shape[:2])))
    high, wide = (side * zoom for side in images[0].shape[:2])
    font = ImageFont.load_default(_TEXT)
    lines = max(caption.count("\n") + 1 if caption else 0 for caption in captions)
    # A caption may be wider than a small image.
    width = (
        max(wide, *(int(font.getlength(line)) for caption in captions for line in caption.split("\n"))) + _GAP
    )
    height = high + round(lines * _TEXT * 1.35) + _GAP
    left = max((int(font.getlength(head)) for head in heads), default=0) + _GAP
    rows = -(-len(images) // columns)
    page = Image.new("RGB", (left + width * min(columns, len(images)), _GAP + height * rows), (_PAPER,) * 3)
    draw = ImageDraw.Draw(page)
    for number, (image, caption) in enumerate(zip(images, captions, strict=True)):
        x, y = left + width * (number % columns), _GAP + height * (number // columns)
        page.paste(_enlarged(image, zoom), (x + (width - _GAP - wide) // 2, y))
        draw.multiline_text(
            (x + (width - _GAP) / 2, y + high + 3), caption, (_INK,) * 3, font, anchor="ma", align="center"
        )
    for number, head in enumerate(heads):
        draw.text((2, _GAP + height * number + high / 2), head, (_INK,) * 3, font, anchor="lm")
    buffer = io.BytesIO()
    page.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def _enlarged(image: NDArray[np.uint8], zoom: int) -> Image.Image:
    big = image.repeat(zoom, axis=0).repeat(zoom, axis=1)
    return Image.fromarray(big[..., 0] if big.shape[2] == 1 else big).convert("RGB")
