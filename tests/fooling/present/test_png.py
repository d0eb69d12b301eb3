"""PNG files: the pixels are the evidence, the text says where they come from. A failure here means that a
saved image no longer backs its confidence, or that `elites/` shows other images than the archive holds."""

from __future__ import annotations

import io
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from fooling.errors import InvalidError
from fooling.store import elites as png
from tests.fooling.present.conftest import edited

images = st.tuples(st.integers(1, 9), st.integers(1, 9), st.sampled_from([1, 3])).flatmap(
    lambda shape: arrays.arrays(np.uint8, shape)
)
texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=40)


def _chunks(data: bytes) -> list[bytes]:
    """The types of a PNG's chunks, in order."""
    kinds, at = [], 8
    while at < len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        kinds.append(data[at + 4 : at + 8])
        at += 12 + length
    return kinds


@given(images, texts, st.sampled_from([png.FAST, png.SMALL]))
def test_pixels_and_text_come_back_bit_for_bit(pixels: np.ndarray, label: str, level: int) -> None:
    data = png.encode(pixels, {"label": label}, level)
    with Image.open(io.BytesIO(data)) as image:
        assert image.mode == ("L" if pixels.shape[2] == 1 else "RGB")
        np.testing.assert_array_equal(np.asarray(image).reshape(pixels.shape), pixels)
        assert image.info["label"] == label


def test_text_stands_before_the_pixels_so_that_reading_it_decodes_nothing() -> None:
    kinds = _chunks(png.encode(np.zeros((4, 4, 3), np.uint8), {"label": "a", "other": "蜥蜴"}))
    assert kinds.index(b"tEXt") < kinds.index(b"iTXt") < kinds.index(b"IDAT")


def test_a_label_that_is_no_valid_unicode_does_not_stop_a_run_from_saving() -> None:
    data = png.encode(np.zeros((4, 4, 1), np.uint8), {"label": "bad \ud800 label"})
    with Image.open(io.BytesIO(data)) as image:
        assert image.info["label"] == "bad \\ud800 label"


@pytest.mark.parametrize("pixels", [np.zeros((4, 4)), np.zeros((4, 4, 2), np.uint8), np.zeros((4, 4, 3))])
def test_other_shapes_and_dtypes_are_refused_by_name(pixels: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"expected pixels \(H, W, 1\)"):
        png.encode(pixels)


def test_what_is_no_png_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.png").write_bytes(b"GIF89a")
    with pytest.raises(InvalidError, match=r"x\.png: expected a PNG"):
        png.read_text(tmp_path / "x.png")
    with pytest.raises(FileNotFoundError):
        png.read_text(tmp_path / "y.png")


def test_every_elite_is_saved_with_its_provenance(make_view: Any) -> None:
    view = make_view([0.9999, np.nan, 0.5], labels=["a/b", "..", "ostrich"], shape=(6, 6, 3))
    assert png.sync_elites(view) == 2
    files = sorted(path.name for path in (view.directory / "elites").iterdir())
    assert files == ["0000.png", "0002.png"]
    assert png.read_text(view.directory / "elites" / "0002.png") == {
        "class": "2",
        "label": "ostrich",
        "confidence": "0.5",
        "id": "12/0/2",
        "model": "builtin:lenet",
        "seed": "0",
        "encoding": "cppn",
        "search": "map-elites",
    }
    with Image.open(view.directory / "elites" / "0002.png") as image:
        np.testing.assert_array_equal(np.asarray(image), view.stored_pixels[2])


def test_an_image_of_many_classes_is_written_once(make_view: Any) -> None:
    """A failure costs minutes and gigabytes: a network of 21,843 classes has few distinct images at first."""
    view = make_view([0.9, 0.8, 0.7, 0.6], image=[2, 0, 2, 2])
    assert png.sync_elites(view) == 2
    elites = view.directory / "elites"
    assert len({path.stat().st_ino for path in elites.iterdir()}) == 2
    assert png.read_text(elites / "0003.png")["class"] == "0; 2; 3"
    view = make_view([0.9, 0.8, 0.7, 0.6], image=[2, 0, 0, 2])  # class 2 goes over: both files say so
    assert png.sync_elites(view) == 2
    assert png.read_text(elites / "0003.png")["class"] == "0; 3"
    assert png.read_text(elites / "0002.png")["class"] == "1; 2"
    assert png.sync_elites(view) == 0
    assert sorted(path.name for path in elites.iterdir()) == [f"000{number}.png" for number in range(4)]


def test_without_hard_links_files_are_copied(make_view: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some file systems have no hard links: a run there must not fail."""

    def refuse(*_: Any) -> None:
        raise PermissionError("no links here")

    monkeypatch.setattr("os.link", refuse)
    view = make_view([0.9, 0.8], image=[0, 0])
    png.sync_elites(view)
    one, other = (view.directory / "elites" / name for name in ("0000.png", "0001.png"))
    assert one.read_bytes() == other.read_bytes()
    assert png.sync_elites(view) == 0


def test_the_confidence_in_a_file_is_not_rounded(make_view: Any) -> None:
    view = make_view([0.99999994])
    assert np.float32(png.elite_text(view, 0)["confidence"]) == view.confidence[0]


def test_only_what_changed_is_written_again(make_view: Any) -> None:
    view = make_view([0.9, 0.8, 0.7])
    png.sync_elites(view)
    elites = view.directory / "elites"
    untouched = (elites / "0000.png").stat().st_mtime_ns
    assert png.sync_elites(view) == 0
    view = edited(view, ids=np.array([(10, 0, 0), (19, 0, 5), (12, 0, 2)], np.int32))
    assert png.sync_elites(view) == 1
    assert png.read_text(elites / "0001.png")["id"] == "19/0/5"
    assert (elites / "0000.png").stat().st_mtime_ns == untouched


@pytest.mark.parametrize("keep", [0, 40, -13, -1])
def test_a_file_cut_short_by_a_crash_is_written_again(make_view: Any, keep: int) -> None:
    view = make_view([0.9])
    png.sync_elites(view)
    path = view.directory / "elites" / "0000.png"
    whole = path.read_bytes()
    path.write_bytes(whole[:keep])
    assert png.sync_elites(view) == 1
    assert path.read_bytes() == whole


def test_a_class_that_lost_its_elite_by_going_back_keeps_no_file(make_view: Any) -> None:
    view = make_view([0.9, 0.8])
    png.sync_elites(view)
    png.sync_elites(make_view([0.9, np.nan]))
    assert [path.name for path in (view.directory / "elites").iterdir()] == ["0000.png"]


def test_a_failed_write_leaves_the_old_file_and_no_rubbish(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "0000.png"
    png.write(path, np.zeros((4, 4, 1), np.uint8), {})
    before = path.read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", full)
    with pytest.raises(OSError, match="No space left"):
        png.write(path, np.ones((4, 4, 1), np.uint8), {})
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
