"""Text in figures: a failure stops a study over a label, or draws another than the class has."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from fooling.present.plots import cut, literal, png


def drawn(text: str, **how: Any) -> np.ndarray:
    figure = Figure((4, 1))
    figure.text(0.1, 0.4, text, **how)
    return np.asarray(Image.open(io.BytesIO(png(figure))))


@pytest.mark.parametrize("label", ["$x$", "$_$ and $^$", r"\$a$", "a$", r"$\frac{", "a_b^c", r"\alpha"])
def test_letters_of_formulas_are_letters(label: str) -> None:
    assert np.array_equal(drawn(literal(label)), drawn(label, parse_math=False))


def test_control_characters_are_named() -> None:
    assert literal("a\nb\x1b[31m\u202ec") == r"a\nb\x1b[31m\u202ec"
    assert cut("a\n" * 30, 10) == r"a\na\na\n" + "…"
    assert cut("$" * 30, 4).count("$") == 3
