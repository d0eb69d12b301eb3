"""The figures show the pixels that were classified, not a blur of them."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from fooling.reproduce.experiments.pictures import strip


def test_pixels_become_squares() -> None:
    images = [np.full((28, 28, 1), value, np.uint8) for value in (0, 120)]
    images[0][3, 5] = 255
    page = np.asarray(Image.open(io.BytesIO(strip(images, ["one", "two"]))))
    assert page.dtype == np.uint8
    whole = (page == 255).all(axis=2)
    rows = np.flatnonzero((page[:, 60] == 0).all(axis=1))
    top, zoom = rows[0], 4
    left = np.flatnonzero((page[top + 100] == 0).all(axis=1))[0]
    square = whole[top + 3 * zoom : top + 4 * zoom, left + 5 * zoom : left + 6 * zoom]
    assert square.all()
    around = whole[top + 3 * zoom - 1, left + 5 * zoom : left + 6 * zoom]
    assert not around.any()


@pytest.mark.parametrize("shape", [(8, 8, 3), (8, 24, 3), (24, 8, 1)])
def test_every_image_has_its_place(shape: tuple[int, int, int]) -> None:
    images = [np.full(shape, 10 * number, np.uint8) for number in range(7)]
    page = np.asarray(Image.open(io.BytesIO(strip(images, [""] * 7, columns=3, heads=("a", "b", "c")))))
    assert {tuple(colour) for colour in page.reshape(-1, 3)} >= {(10 * number,) * 3 for number in range(7)}
    page = np.asarray(Image.open(io.BytesIO(strip(images, [""] * 7, columns=3))))
    whole = [(page == 10 * number).all(axis=2).sum() for number in range(1, 7)]
    zoom = round(112 / max(shape[:2]))
    assert whole == [zoom**2 * shape[0] * shape[1]] * 6  # one hides nothing of another
