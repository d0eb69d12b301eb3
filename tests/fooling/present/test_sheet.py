"""Contact sheets: a failure here shows a reader pixels that the classifier never saw, or hides some."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fooling.errors import NotFoundError
from fooling.present import fonts
from fooling.present.facts import first_answer
from fooling.present.sheet import _fit, _subtitle, choose, contact_sheet, landscape


def _find(sheet: np.ndarray, tile: np.ndarray) -> tuple[int, int] | None:
    """Where the tile is on the sheet, (y, x)."""
    rows, columns = np.nonzero((sheet == tile[0, 0]).reshape(*sheet.shape[:2], -1).all(-1))
    height, width = tile.shape[:2]
    for y, x in zip(rows.tolist(), columns.tolist(), strict=True):
        if np.array_equal(sheet[y : y + height, x : x + width], tile):
            return y, x
    return None


@pytest.mark.parametrize("shape", [(6, 6, 1), (8, 6, 3), (20, 80, 3), (80, 20, 1)])
def test_every_elite_is_on_the_page_pixel_for_pixel_in_reading_order(
    make_view: Any, shape: tuple[int, int, int]
) -> None:
    view = make_view([0.9, 0.99, 0.8, 0.7], shape=shape)
    sheet = np.asarray(contact_sheet(view, zoom=3, columns=3))
    places: list[tuple[int, int]] = []
    for row in view.stored_rows:
        tile = view.stored_pixels[row].repeat(3, 0).repeat(3, 1)
        found = _find(sheet, tile[:, :, 0] if shape[2] == 1 else tile)
        assert found is not None
        places.append(found)
    assert places == sorted(places)
    assert len({y for y, _ in places}) == 2


def test_by_confidence_the_surest_comes_first_and_a_limit_keeps_the_surest(make_view: Any) -> None:
    view = make_view([0.5, 0.9, np.nan, 0.99, 0.9])
    assert choose(view, None, None, "confidence").tolist() == [3, 1, 4, 0]
    assert choose(view, None, 2, "class").tolist() == [1, 3]
    assert choose(view, [4, 0, 2], None, "class").tolist() == [0, 4]


def test_the_page_says_that_classes_are_left_out(make_view: Any) -> None:
    view = make_view([0.5, 0.9, np.nan])
    assert _subtitle(view, 2)[1].startswith("2 of 3 classes shown. ")
    assert "shown" not in _subtitle(view, 3)[1]
    assert _subtitle(view, 1, surest=True)[1].startswith("The 1 surest of 3 classes shown. ")


def test_the_page_says_what_elites_are_called_instead(make_view: Any) -> None:
    """A failure costs the truth: a sheet of images that the network calls something else, titled as if it did not."""
    view = make_view([0.9, 0.02, 0.3], labels=["sock", "tench", "newt"], top1=[0, 0, -1])
    assert [first_answer(view, number) for number in range(3)] == ["top-1", "called sock", ""]
    assert "not known" in _subtitle(view, 3)[2]
    known = make_view([0.9, 0.02, np.nan], top1=[0, 0, -1], name="known")
    assert _subtitle(known, 2)[2].startswith("1 of 2 elites are top-1: ")
    honest = make_view([0.9, 0.02, 0.3], name="honest")
    assert contact_sheet(view, zoom=20).size[1] > contact_sheet(honest, zoom=20).size[1]


def test_what_does_not_exist_is_named(make_view: Any) -> None:
    view = make_view([0.5, np.nan])
    with pytest.raises(NotFoundError, match="no class 7: expected 0 to 1"):
        contact_sheet(view, classes=[7])
    with pytest.raises(NotFoundError, match="no elite to show"):
        contact_sheet(view, classes=[1])
    with pytest.raises(ValueError, match="zoom: expected 1 or more, found 0"):
        contact_sheet(view, zoom=0)


@given(st.text(max_size=80), st.integers(20, 300))
def test_no_label_runs_into_its_neighbour(label: str, width: int) -> None:
    font = fonts.font(14)
    fitted = _fit(label, font, width)
    assert fonts.font(14, fitted).getlength(fitted) <= width
    assert _fit("tench, Tinca tinca", font, 60) == "tench"


@given(st.integers(1, 1000))
def test_pages_are_landscape_with_few_gaps(count: int) -> None:
    columns = landscape(count)
    rows = -(-count // columns)
    assert (rows - 1) * columns < count
    assert columns >= rows or count < 3
    assert landscape(10) == 5
    assert landscape(1000) == 40


def test_a_long_heading_does_not_leave_the_page(make_view: Any) -> None:
    sheet = np.asarray(contact_sheet(make_view([0.9]), title="a very long model name " * 9))
    assert (sheet[:, -8:] == sheet[0, 0]).all()


@pytest.mark.parametrize("shape", [(48, 192, 1), (192, 48, 1), (96, 160, 1)])
def test_a_page_of_rectangles_is_no_strip_and_has_room_for_labels(make_view: Any, shape: Any) -> None:
    """Cells as narrow as a high image have labels of a letter or two."""
    page = contact_sheet(make_view([0.9] * 12, shape=shape))
    assert 0.6 < page.width / page.height < 2.5
    assert page.width > 6 * 96 or shape[1] > 96


def test_letters_of_many_alphabets_are_drawn() -> None:
    """A box in place of a letter makes labels unreadable, and all alike."""
    for letter in "ÜßéñłżкожΩ":
        assert Path(fonts.font(20, letter).path) == fonts.DEJAVU  # type: ignore[arg-type]
        assert not fonts.lacking([letter])
    for text in ("猫", "고양이", "ねこ"):
        if not fonts.lacking([text]):  # this machine has a font for it
            font = fonts.font(20, text)
            assert Path(font.path) != fonts.DEJAVU  # type: ignore[arg-type]
            assert bytes(font.getmask(text[0])) != bytes(font.getmask("\U0010fffd"))


def test_letters_that_no_font_has_are_named(make_view: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A failure leaves boxes, and nobody who knows why."""
    monkeypatch.setattr(fonts, "_others", lambda: ())
    fonts._fitting.cache_clear()
    told: list[str] = []
    contact_sheet(make_view([0.9, 0.8, 0.7], labels=["猫", "🐈\ufe0f 2", "café"]), warn=told.append)
    fonts._fitting.cache_clear()
    (line,) = told
    assert line.startswith("the sheet's font lacks 猫 🐈, so boxes stand for them: ")
    assert not fonts.lacking(["plain, \n café\t"])


def test_the_title_of_a_large_page_can_be_read_at_the_size_of_a_screen(make_view: Any) -> None:
    """A sheet of a thousand classes is seen at a fifth of its size."""
    page = contact_sheet(make_view([0.9] * 400, shape=(28, 28, 1)))
    rows = np.flatnonzero((np.asarray(page) < 200).any(1))
    title = next(end for end, after in itertools.pairwise(rows.tolist()) if after > end + 2) - rows[0]
    assert title > page.width / 100


@pytest.mark.parametrize("label", ["قطة", "\x1b[31m", "\u202edcba"])
def test_any_label_is_drawn(make_view: Any, label: str) -> None:
    contact_sheet(make_view([0.9, 0.2], labels=[label, "b"], top1=[0, 0]), title=label)
