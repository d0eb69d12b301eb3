"""One way to open an image. What goes wrong here is silent: a network is shown other pixels, and blamed for it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageOps

from fooling.datasets.images import fitted, image_files, open_image
from fooling.errors import InvalidError, NotFoundError

SKY = np.zeros((40, 24, 3), np.uint8)
SKY[:10, :12] = (250, 240, 230)


@pytest.mark.parametrize("suffix", ["png", "jpg", "tif", "webp"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_turn_that_is_only_noted_is_carried_out(tmp_path, suffix, orientation):
    """Phones note how they were held; Pillow's own function is the oracle."""
    notes = Image.Exif()
    notes[0x0112] = orientation
    file = tmp_path / f"photo.{suffix}"
    options: dict[str, Any] = {"lossless": True} if suffix == "webp" else {}
    Image.fromarray(SKY).save(file, exif=notes, **options)
    with Image.open(file) as image:
        image.load()
        expected = np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
    assert np.array_equal(np.asarray(open_image(file)), expected)
    assert expected.shape == ((40, 24, 3) if orientation < 5 else (24, 40, 3))


def test_damaged_notes_do_not_cost_the_image(tmp_path):
    Image.fromarray(SKY).save(tmp_path / "p.png", exif=b"Exif\0\0MM\0*\0\0\0\x08\xff\xff")
    assert np.array_equal(np.asarray(open_image(tmp_path / "p.png")), SKY)


RAMP = np.linspace(0, 65535, 64 * 64).reshape(64, 64)


def ramp(file, kind):
    if kind == "pgm":
        file.write_bytes(b"P5\n64 64\n65535\n" + RAMP.astype(">u2").tobytes())
    elif kind == "big-endian":
        Image.frombytes("I;16B", (64, 64), RAMP.astype(">u2").tobytes()).save(file, format="TIFF")
    elif kind == "float":
        Image.fromarray((RAMP / 65535).astype(np.float32)).save(file, format="TIFF")
    elif kind == "white is zero":
        inverse = Image.fromarray((65535 - RAMP).astype(np.uint16))
        inverse.save(file, format="TIFF", tiffinfo={262: 0})
    else:
        Image.fromarray(RAMP.astype(np.uint16)).save(file, format=kind)


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "pgm", "big-endian", "float", "white is zero"])
@pytest.mark.parametrize("colour", ["grey", "rgb", None])
def test_more_than_eight_bits_are_scaled(tmp_path, kind, colour):
    """Pillow clips them: nearly all of such an image is white, and nothing is said."""
    file = tmp_path / "ramp"
    ramp(file, kind)
    found = np.asarray(open_image(file, colour)).astype(float)
    expected = RAMP / 257
    assert np.abs(found - (expected[..., None] if colour == "rgb" else expected)).max() <= 1


@pytest.mark.parametrize(
    "values, message",
    [
        (np.full((4, 4), 255.0, np.float32), "expected floating-point values from 0 to 1, found 255 to 255"),
        (np.full((4, 4), -0.5, np.float32), "found -0.5 to -0.5"),
        (np.full((4, 4), np.nan, np.float32), "found nan to nan"),
        (np.full((4, 4), 70_000, np.int32), "expected 8 bits, or 16 without a sign, found other integers"),
        (np.full((4, 4), 200, np.uint16), "expected 16-bit values up to 65535, found 200 to 200"),
    ],
)
def test_values_whose_white_is_unknown_are_refused(tmp_path, values, message):
    Image.fromarray(values).save(tmp_path / "x.tif")
    with pytest.raises(InvalidError, match=message) as caught:
        open_image(tmp_path / "x.tif")
    assert "\n" not in str(caught.value)


DISC = (np.hypot(*np.mgrid[-8:8, -8:8]) < 5).astype(np.uint8) * 255


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "key"])
@pytest.mark.parametrize("level", [0, 30, 200, 255])
def test_a_shape_that_only_transparency_tells_is_seen(tmp_path, mode, level):
    """Icons and drawings of one colour: without their alpha they are flat."""
    flat, alpha = Image.new("L", (16, 16), level), Image.fromarray(DISC)
    file = tmp_path / "icon.png"
    options: dict[str, Any] = {}
    if mode == "LA":
        image = Image.merge("LA", (flat, alpha))
    elif mode == "RGBA":
        image = Image.merge("RGBA", (flat, flat, flat, alpha))
    elif mode == "P":
        image = Image.fromarray(DISC // 255).convert("P")
        image.putpalette([level] * 6)
        options = {"transparency": 0}
    else:
        image = Image.fromarray(np.where(DISC, level, 99).astype(np.uint8))
        options = {"transparency": 99}
    image.save(file, **options)
    found = np.asarray(open_image(file, "grey"))
    assert set(np.unique(found[DISC == 255])) == {level}
    assert set(np.unique(found[DISC == 0])) == {255 if level < 128 else 0}


def test_half_transparent_pixels_are_mixed_and_opaque_ones_kept(tmp_path):
    pixels = np.full((4, 4, 4), 200, np.uint8)
    pixels[..., 3] = 51
    Image.fromarray(pixels).save(tmp_path / "glass.png")
    assert np.unique(np.asarray(open_image(tmp_path / "glass.png"))).tolist() == [40]
    pixels[..., 3] = 255
    Image.fromarray(pixels).save(tmp_path / "wall.png")
    assert np.unique(np.asarray(open_image(tmp_path / "wall.png"))).tolist() == [200]
    pixels[..., 3] = 0
    Image.fromarray(pixels).save(tmp_path / "air.png")
    with pytest.raises(
        InvalidError, match=r"air\.png: expected something to see, found every pixel transparent"
    ):
        open_image(tmp_path / "air.png")


def test_other_kinds_of_images_are_as_they_look(tmp_path):
    Image.new("CMYK", (8, 8), (0, 255, 255, 0)).save(tmp_path / "ink.jpg", quality=100)
    assert np.abs(np.asarray(open_image(tmp_path / "ink.jpg")).astype(int) - (255, 0, 0)).max() < 8
    Image.fromarray(DISC).convert("1").save(tmp_path / "one.png")
    assert np.array_equal(np.asarray(open_image(tmp_path / "one.png")), DISC)
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    frames[0].save(tmp_path / "film.gif", save_all=True, append_images=frames[1:])
    assert np.asarray(open_image(tmp_path / "film.gif"))[0, 0].tolist() == [255, 0, 0]
    deep = np.asarray(Image.fromarray(SKY)).astype(">u2") * 257
    (tmp_path / "deep.ppm").write_bytes(b"P6\n24 40\n65535\n" + deep.tobytes())
    assert np.array_equal(np.asarray(open_image(tmp_path / "deep.ppm")), SKY)


def test_what_is_no_image_is_called_what_it_is(tmp_path):
    (tmp_path / "p.png").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n")
    with pytest.raises(InvalidError, match=r"p\.png: expected an image .*: found a Git LFS pointer"):
        open_image(tmp_path / "p.png")
    (tmp_path / "t.png").write_text("a letter")
    with pytest.raises(InvalidError, match=r"t\.png: expected an image \(PNG, JPEG"):
        open_image(tmp_path / "t.png")
    with pytest.raises(NotFoundError, match="found no such file"):
        open_image(tmp_path / "none.png")


def test_files_that_nobody_put_there_are_no_images(tmp_path):
    """macOS and Windows leave files beside images, some with an image's suffix."""
    for name in ("._0.png", ".DS_Store", "Thumbs.db", "desktop.ini", ".hidden.jpg", "notes.txt"):
        (tmp_path / name).write_bytes(b"\0\5\26\7")
    (tmp_path / "__MACOSX").mkdir()
    (tmp_path / "__MACOSX" / "1.png").touch()
    (tmp_path / "deep").mkdir()
    for name in ("0.PNG", "deep/1.jpeg"):
        (tmp_path / name).touch()
    assert [file.name for file in image_files(tmp_path)] == ["0.PNG"]
    assert [file.name for file in image_files(tmp_path, deep=True)] == ["0.PNG", "1.jpeg"]


def test_an_image_of_other_proportions_is_not_stretched(tmp_path):
    columns = np.tile(np.arange(80, dtype=np.uint8), (20, 1))
    Image.fromarray(columns).save(tmp_path / "wide.png")
    found = fitted(tmp_path / "wide.png", (10, 20, 1))[..., 0]
    assert (found[0, 0], found[0, -1]) == (pytest.approx(23, abs=1), pytest.approx(56, abs=1))
