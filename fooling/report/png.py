"""PNG files that hold exactly the classified pixels and say where they come from.

Provenance lies in text entries before the image data (PNG specification, 11.3.3: tEXt, or iTXt where the
text is not Latin-1), so it travels with the file and is read without decoding the image.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from fooling.errors import InvalidError
from fooling.files import replacing

if TYPE_CHECKING:
    from fooling.runs.view import RunView

FAST, SMALL = 1, 6  # zlib levels
_END = b"\x00\x00\x00\x00IEND\xaeB`\x82"  # a whole PNG ends so


def encode(pixels: NDArray[np.uint8], text: Mapping[str, str] | None = None, level: int = FAST) -> bytes:
    """A PNG of exactly these pixels.

    Args:
        pixels: (H, W, C) uint8, C = 1 (mode L) or 3 (mode RGB).
        text: text entries, in this order; keys of 1 to 79 Latin-1 characters.
        level: zlib's, 0 to 9; the pixels are the same at each.

    Raises:
        ValueError: the pixels have another shape or dtype.
    """
    if pixels.ndim != 3 or pixels.shape[2] not in (1, 3) or pixels.dtype != np.uint8:
        raise ValueError(f"expected pixels (H, W, 1) or (H, W, 3) uint8, found {pixels.shape} {pixels.dtype}")
    info = PngInfo()
    for key, value in (text or {}).items():
        info.add_text(key, value.encode("utf-8", "backslashreplace").decode())
    image = Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)
    buffer = io.BytesIO()
    image.save(buffer, "PNG", pnginfo=info, compress_level=level)
    return buffer.getvalue()


def write(path: Path, pixels: NDArray[np.uint8], text: Mapping[str, str]) -> None:
    """Write `encode(pixels, text)`, whole or not at all.

    Raises:
        ValueError: as `encode`.
        OSError: the file can't be written.
    """
    with replacing(path) as file:
        file.write(encode(pixels, text))


def read_text(path: Path) -> dict[str, str]:
    """The text entries that precede the image data; no pixel is decoded.

    Raises:
        FileNotFoundError: there is no such file.
        InvalidError: it is not a PNG.
    """
    try:
        with Image.open(path, formats=["PNG"]) as image:
            return {str(key): str(value) for key, value in image.info.items() if isinstance(value, str)}
    except FileNotFoundError:
        raise
    except (OSError, SyntaxError, ValueError) as error:
        raise InvalidError(f"{path}: expected a PNG file ({error})") from None


def elite_name(index: int) -> str:
    """The file name of a class's elite: by index, as labels may hold any character."""
    return f"{index:04d}.png"


def elite_id(view: RunView, index: int) -> str:
    """An elite's identity within its run: "generation/stream/child"."""
    return "/".join(str(part) for part in view.ids[index])


def elite_text(view: RunView, index: int) -> dict[str, str]:
    """The provenance of the elite of a class, as text entries."""
    config = view.manifest.get("config", {})
    entries = {
        "class": index,
        "label": view.labels[index],
        "confidence": repr(float(view.confidence[index])),
        "id": elite_id(view, index),
        "model": view.manifest.get("model"),
        "seed": view.manifest.get("seed"),
        "encoding": config.get("encoding", {}).get("name"),
        "search": config.get("search", {}).get("name"),
    }
    return {key: str(value) for key, value in entries.items() if value is not None}


def sync_elites(view: RunView) -> int:
    """Make `elites/` hold the view's elites: only what is missing, damaged or another image is written,
    and the file of a class that has no elite (any more: a resume may go back) is removed.

    Returns:
        The number of files written.

    Raises:
        OSError: a file can't be written.
    """
    elites = view.directory / "elites"
    elites.mkdir(exist_ok=True)
    written = 0
    for index, row in enumerate(view.stored_rows):
        path = elites / elite_name(index)
        if row < 0:
            path.unlink(missing_ok=True)
        elif not _holds(path, elite_id(view, index)):
            write(path, view.stored_pixels[row], elite_text(view, index))
            written += 1
    return written


def _holds(path: Path, identity: str) -> bool:
    """Whether the file is whole and of the elite with that identity."""
    try:
        with open(path, "rb") as file:
            file.seek(-len(_END), 2)
            whole = file.read() == _END
        return whole and read_text(path).get("id") == identity
    except (OSError, InvalidError):
        return False
