"""Exports: what leaves the run directory must still say what was classified and what was not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from fooling.errors import FoolingError
from fooling.present.export import export_npz, export_png, export_sheet
from fooling.store.elites import read_text


def test_without_a_size_the_files_hold_the_classified_pixels(make_view: Any, tmp_path: Path) -> None:
    view = make_view([0.9, np.nan, 0.8], image=[0, -1, 0])
    assert export_png(view, tmp_path / "out") == 2
    for name in ("0000.png", "0002.png"):
        with Image.open(tmp_path / "out" / name) as image:
            np.testing.assert_array_equal(np.asarray(image), view.stored_pixels[0, :, :, 0])


def test_enlarged_pixels_become_squares_and_the_file_says_so(make_view: Any, tmp_path: Path) -> None:
    view = make_view([0.9], shape=(6, 6, 3))
    export_png(view, tmp_path / "out", size=18)
    with Image.open(tmp_path / "out" / "0000.png") as image:
        np.testing.assert_array_equal(np.asarray(image)[1::3, 1::3], view.stored_pixels[0])
        assert image.size == (18, 18)
    assert read_text(tmp_path / "out" / "0000.png")["scaled"].startswith("3 times")


@pytest.mark.parametrize(("size", "near"), [(20, 18), (3, 6)])
def test_a_size_that_would_resample_is_refused_with_a_suggestion(
    make_view: Any, tmp_path: Path, size: int, near: int
) -> None:
    with pytest.raises(
        FoolingError, match=f"size {size} x {size}: expected a multiple .* 6 x 6 px, such as {near} x {near}"
    ):
        export_png(make_view([0.9]), tmp_path / "out", size=size)


def test_a_rendering_at_another_size_does_not_pass_for_the_classified_image(
    make_view: Any, tmp_path: Path
) -> None:
    drawn = np.full((1, 20, 20, 1), 7, np.uint8)
    export_png(make_view([0.9]), tmp_path / "out", size=20, render=lambda size: drawn)
    with Image.open(tmp_path / "out" / "0000.png") as image:
        assert np.all(np.asarray(image) == 7)
    assert (
        "the confidence is of the image at 6 x 6 px" in read_text(tmp_path / "out" / "0000.png")["rendered"]
    )


@pytest.mark.parametrize("size", [20, (8, 20)])
def test_a_rectangle_keeps_its_aspect_ratio(make_view: Any, tmp_path: Path, size: Any) -> None:
    """One number is the longer side. A square would show the image squashed."""
    asked: list[Any] = []

    def render(size: Any) -> Any:
        asked.append(size)
        return np.full((1, *size, 1), 7, np.uint8)

    view = make_view([0.9], shape=(4, 10, 1))
    export_png(view, tmp_path / "drawn", size=size, render=render)
    assert asked == [(8, 20)]
    assert "at 8 x 20 px" in read_text(tmp_path / "drawn" / "0000.png")["rendered"]
    export_png(view, tmp_path / "scaled", size=size)
    with Image.open(tmp_path / "scaled" / "0000.png") as image:
        np.testing.assert_array_equal(np.asarray(image)[::2, ::2], view.stored_pixels[0, :, :, 0])
    export_png(view, tmp_path / "same", size=10)
    assert "scaled" not in read_text(tmp_path / "same" / "0000.png")
    with pytest.raises(FoolingError, match=r"size 8 x 21: expected a multiple .* 4 x 10 px, such as 8 x 20"):
        export_png(view, tmp_path / "other", size=(8, 21))


def test_files_of_the_user_are_not_overwritten(make_view: Any, tmp_path: Path) -> None:
    view = make_view([0.9])
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("")
    for path, export in ((tmp_path / "out", export_png), (tmp_path / "a.png", export_sheet)):
        path.exists() or path.write_text("mine")
        with pytest.raises(FoolingError, match="exists; remove it, or give another name"):
            export(view, path)
        export(view, path, force=True)


@pytest.mark.parametrize("suffix", [".png", ".webp", ".jpg"])
def test_a_sheet_is_written_in_the_format_of_its_name(make_view: Any, tmp_path: Path, suffix: str) -> None:
    size = export_sheet(make_view([0.9, 0.8]), tmp_path / f"sheet{suffix}", zoom=4)
    with Image.open(tmp_path / f"sheet{suffix}") as image:
        assert image.size == size
        assert image.format == {".png": "PNG", ".webp": "WEBP", ".jpg": "JPEG"}[suffix]


def test_an_unknown_suffix_is_refused(make_view: Any, tmp_path: Path) -> None:
    with pytest.raises(FoolingError, match=r"ends in \.png, \.webp"):
        export_sheet(make_view([0.9]), tmp_path / "sheet.tiff")


def test_the_arrays_are_read_without_pickle_and_hold_no_stale_image(make_view: Any, tmp_path: Path) -> None:
    view = make_view([0.9, np.nan, 0.8], image=[2, -1, 2], labels=["a", "b", "蜥蜴"])
    export_npz(view, tmp_path / "run.npz")
    with np.load(tmp_path / "run.npz", allow_pickle=False) as arrays:
        assert arrays["labels"].tolist() == ["a", "b", "蜥蜴"]
        np.testing.assert_array_equal(arrays["confidence"], view.confidence)
        np.testing.assert_array_equal(arrays["ids"], view.ids)
        assert arrays["occupied"].tolist() == [True, False, True]
        for number, row in ((0, 2), (2, 2)):  # an image that is the elite of two classes stands with both
            np.testing.assert_array_equal(arrays["images"][number], view.stored_pixels[row])
        assert not arrays["images"][1].any()
        assert arrays["top1"].tolist() == [0, -1, 2]
        assert json.loads(str(arrays["manifest"])) == view.spec.model_dump(mode="json")
