"""One way to open an image file: upright, without transparency, 8 bits, grey or RGB.

- A turn that a camera only noted (EXIF orientation) is carried out.
- Transparent pixels show a background: black, or white where what can be seen is darker than mid-grey, so that
  no drawing is lost on a ground of its own colour. An image of which nothing can be seen is refused.
- 16 bits are scaled to 8, rounded, and floating-point values of 0 to 1 to 0 to 255. Values whose white is
  unknown (32-bit integers, floating-point values beyond 1) are refused, never clipped.
- Of an animation, the first frame is taken.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from fooling.errors import InvalidError, NotFoundError, first_line
from fooling.first_look import STAND_INS, look
from fooling.sizes import colour_of

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "PPM", "GIF", "TIFF")
SUFFIXES = frozenset(
    [
        ".png",
        ".apng",
        ".jpg",
        ".jpeg",
        ".jpe",
        ".jfif",
        ".webp",
        ".bmp",
        ".dib",
        ".ppm",
        ".pgm",
        ".pbm",
        ".pnm",
        ".gif",
        ".tif",
        ".tiff",
    ]
)
MAX_PIXELS = 64_000_000
_NOT_OURS = frozenset({"thumbs.db", "desktop.ini", "__macosx", "@eadir", "icon\r"})  # of operating systems
_ORIENTATION = 0x0112
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_PHOTOMETRIC, _WHITE_IS_ZERO = 262, 0
_CENTRE = 7 / 8


def visible(paths: Iterable[Path]) -> list[Path]:
    """Files and folders that a person put there, by name: none that is hidden, macOS's `._NAME` among them, nor
    `Thumbs.db` and its like."""
    return sorted(
        path for path in paths if not path.name.startswith(".") and path.name.casefold() not in _NOT_OURS
    )


def image_files(folder: Path, deep: bool = False) -> list[Path]:
    """The image files in a folder, known by their suffix.

    Args:
        deep: those in its folders too.
    """
    found: list[Path] = []
    for path in visible(folder.iterdir()):
        if path.suffix.lower() in SUFFIXES and path.is_file():
            found.append(path)
        elif deep and path.is_dir() and not path.is_symlink():
            found += image_files(path, deep)
    return found


def open_image(file: Path, colour: Literal["grey", "rgb"] | None = None) -> Image.Image:
    """An image file as it is meant to be seen.

    Args:
        colour: None: as the file has it.

    Returns:
        An image of mode "L" (grey) or "RGB".

    Raises:
        NotFoundError: no such file.
        InvalidError: not an image, one of more than 64 million pixels, or one whose pixels can't be told.
    """
    try:
        with Image.open(file, formats=FORMATS) as image:
            if image.width * image.height > MAX_PIXELS:
                raise InvalidError(
                    f"{file}: expected at most {MAX_PIXELS:,} pixels, found {image.width} x {image.height}"
                )
            image.load()
            plain = _turned(_opaque(_eight_bits(image, file), file), image)
    except FileNotFoundError:
        raise NotFoundError(f"{file}: expected an image, found no such file") from None
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise InvalidError(
            f"{file}: expected an image ({', '.join(FORMATS)}): {_reason(file, error)}"
        ) from None
    if colour is None:
        return plain if plain.mode == "L" else plain.convert("RGB")
    return plain.convert("L" if colour == "grey" else "RGB")


def fitted(file: Path, shape: tuple[int, int, int]) -> NDArray[np.uint8]:
    """An image file in a given shape: as it is where it has that size; else its centre, seven eighths of the
    largest rectangle of these proportions (or that size, where it is more), resized bilinearly (Krizhevsky 2012).

    Args:
        shape: (height, width, 1 or 3).

    Raises:
        As `open_image`.
    """
    height, width, channels = shape
    image = open_image(file, colour_of(channels))
    if image.size != (width, height):
        image = _centre(image, width, height)
    return np.asarray(image).reshape(shape)


def _centre(image: Image.Image, width: int, height: int) -> Image.Image:
    most = image.width, image.height
    if image.width * height > image.height * width:
        most = max(1, round(image.height * width / height)), image.height
    elif image.width * height < image.height * width:
        most = image.width, max(1, round(image.width * height / width))
    across, down = (
        min(side, max(round(side * _CENTRE), wanted))
        for side, wanted in zip(most, (width, height), strict=True)
    )
    left, top = (image.width - across) // 2, (image.height - down) // 2
    cut = image.crop((left, top, left + across, top + down))
    return cut.resize((width, height), Image.Resampling.BILINEAR)


def _turned(plain: Image.Image, file: Image.Image) -> Image.Image:
    """An image as the notes of the file that it is from say."""
    try:
        turn = _TURNS.get(file.getexif().get(_ORIENTATION, 1))
    except Exception:  # damaged notes about an image that is whole
        turn = None
    return plain if turn is None else plain.transpose(turn)


def _opaque(image: Image.Image, file: Path) -> Image.Image:
    """The image on a background, where parts of it are transparent."""
    if not image.has_transparency_data:
        return image
    layers = np.asarray(image.convert("RGBA"), np.float32)
    colours, alpha = layers[..., :3], layers[..., 3:] / np.float32(255)
    if alpha.min() == 1:
        return Image.fromarray(layers[..., :3].astype(np.uint8))
    if alpha.max() == 0:
        raise InvalidError(f"{file}: expected something to see, found every pixel transparent")
    seen = (colours.mean(-1, keepdims=True) * alpha).sum() / alpha.sum()
    ground = np.float32(0 if seen >= 127.5 else 255)
    flat = Image.fromarray((colours * alpha + ground * (1 - alpha)).round().astype(np.uint8))
    return flat.convert("L") if image.mode in ("LA", "La", "L") else flat


def _eight_bits(image: Image.Image, file: Path) -> Image.Image:
    """The image with 8 bits a channel: Pillow's own conversion clips values that don't fit."""
    if image.mode == "F":
        values = np.asarray(image)
        if not (values.min() >= 0 and values.max() <= 1):  # which NaN is not, either
            raise InvalidError(
                f"{file}: expected floating-point values from 0 to 1, found {values.min():.6g} to "
                f"{values.max():.6g}: save it with 8 bits"
            )
        return Image.fromarray((values * 255).round().astype(np.uint8))
    if not image.mode.startswith("I"):
        return image.convert("L") if image.mode == "1" else image
    values = np.asarray(image).astype(np.int64)
    if image.mode == "I" and image.format == "TIFF":
        raise InvalidError(
            f"{file}: expected 8 bits, or 16 without a sign, found other integers: what white is can't be told; "
            "save it with 8 bits"
        )
    if values.min() < 0 or values.max() > 65535 or 0 < values.max() <= 255:
        raise InvalidError(
            f"{file}: expected 16-bit values up to 65535, found {values.min()} to {values.max()}: what white is "
            "can't be told; save it with 8 bits"
        )
    if getattr(image, "tag_v2", {}).get(_PHOTOMETRIC) == _WHITE_IS_ZERO:
        values = 65535 - values
    return Image.fromarray(((values + 128) // 257).astype(np.uint8))


def _reason(file: Path, error: Exception) -> str:
    """What a file is that is no image, where its bytes tell."""
    if file.is_file() and (kind := look(file)) in STAND_INS:
        return f"found {kind.value}"
    return first_line(error)
