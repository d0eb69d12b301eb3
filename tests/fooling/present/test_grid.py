"""Grids show the pixels that were classified, not a blur of them, and every image has its place."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from fooling.present.grid import Grid, image_grid, joined, png_of


def test_pixels_become_squares() -> None:
    images = [np.full((28, 28, 1), value, np.uint8) for value in (0, 120)]
    images[0][3, 5] = 255
    page = np.asarray(image_grid(images, ["one", "two"]))
    assert page.dtype == np.uint8
    whole = (page == 255).all(axis=2)
    rows = np.flatnonzero((page[:, 60] == 0).all(axis=1))
    top, zoom = rows[0], 4
    left = np.flatnonzero((page[top + 100] == 0).all(axis=1))[0]
    square = whole[top + 3 * zoom : top + 4 * zoom, left + 5 * zoom : left + 6 * zoom]
    assert square.all()
    around = whole[top + 3 * zoom - 1, left + 5 * zoom : left + 6 * zoom]
    assert not around.any()


@pytest.mark.parametrize("words", [{}, {"heads": ("a", "b", "c"), "titles": ("x", "y", "a wide title")}])
@pytest.mark.parametrize("shape", [(8, 8, 3), (8, 24, 3), (24, 8, 1)])
def test_no_image_hides_another(shape: tuple[int, int, int], words: dict[str, tuple[str, ...]]) -> None:
    images = [np.full(shape, 40 + 20 * number, np.uint8) for number in range(7)]
    page = np.asarray(image_grid(images, columns=3, **words))  # type: ignore[arg-type]
    found = [(page == 40 + 20 * number).all(axis=2).sum() for number in range(7)]
    zoom = round(112 / max(shape[:2]))
    area = zoom**2 * shape[0] * shape[1]
    assert all(area <= one <= area + 30 for one in found), (
        "a few pixels of the words' edges have the same grey"
    )


def test_captions_make_room_for_themselves() -> None:
    """A caption that runs into its neighbour's can't be read."""
    image = np.zeros((28, 28, 1), np.uint8)
    short, long = (
        image_grid([image] * 2, [caption] * 2) for caption in ("a", "a caption that is long\nand deep")
    )
    assert long.width > short.width
    assert long.height > short.height


def test_a_page_has_room_for_its_last_row() -> None:
    grid = Grid(columns=3, width=10, height=20, caption=5, gap=2, left=7, top=9, margin=4)
    assert grid.corner(4) == (7 + 12, 9 + 27)
    assert grid.size(4) == grid.size(6) == (7 + 34 + 4, 9 + 52 + 4)


def test_pages_are_joined_whole() -> None:
    pages = [Image.new("RGB", (3, 2), "red"), Image.new("RGB", (4, 5), "blue")]
    assert joined(pages).size == (7, 5)
    assert joined(pages, down=True).size == (4, 7)
    beneath = np.asarray(joined(pages, down=True))
    assert (beneath[2:] == (0, 0, 255)).all()
    assert Image.open(io.BytesIO(png_of(pages[0]))).size == (3, 2)
