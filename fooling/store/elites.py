"""PNG files that hold exactly the classified pixels and say where they come from.

Provenance lies in text entries before the image data (PNG specification, 11.3.3: tEXt, or iTXt where the
text is not Latin-1), so it travels with the file and is read without decoding the image.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from fooling.errors import InvalidError
from fooling.files import link_or_copy, replacing

if TYPE_CHECKING:
    from fooling.store.snapshot import Snapshot

FAST, SMALL = 1, 6  # zlib levels
_LISTED = 20  # classes that a file of many names lists
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
        info.add_text(key, _encodable(value))
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


def elite_id(view: Snapshot, index: int) -> str:
    """An elite's identity within its run: "generation/stream/child"."""
    return "/".join(str(part) for part in view.ids[index])


def elite_text(view: Snapshot, *classes: int) -> dict[str, str]:
    """The provenance of an image that is the elite of one or several classes, as text entries. Of several classes,
    their numbers, labels and confidences are listed, separated by semicolons; of many, the first twenty."""
    config = view.spec.config
    first = classes[:_LISTED]
    more = [f"and {len(classes) - _LISTED} more"] if len(classes) > _LISTED else []
    return {
        "class": "; ".join([*map(str, first), *more]),
        "label": "; ".join([view.labels[index] for index in first] + more),
        "confidence": "; ".join([repr(float(view.confidence[index])) for index in first] + more),
        "id": elite_id(view, classes[0]),
        "model": view.spec.model,
        "seed": str(view.spec.seed),
        "encoding": config.encoding.name,
        "search": config.search.name,
    }


def sync_elites(view: Snapshot) -> int:
    """Make `elites/` hold the view's elites, a file for each class. An image that is the elite of several classes is
    written once, and its files are hard links of each other. Only what is missing, damaged or another image is
    written, and the file of a class that has no elite (any more: a resume may go back) is removed.

    Returns:
        The number of images written.

    Raises:
        OSError: a file can't be written.
    """
    elites = view.directory / "elites"
    elites.mkdir(exist_ok=True)
    there = {entry.name: entry.inode() for entry in os.scandir(elites)}
    written = 0
    for index in np.flatnonzero(np.asarray(view.stored_rows) < 0).tolist():
        if elite_name(index) in there:
            (elites / elite_name(index)).unlink()
    for classes in _by_image(view):
        text = elite_text(view, *classes)
        verified: dict[int, bool] = {}  # a file of many names is read once
        missing, whole = [], None
        for path in (elites / elite_name(index) for index in classes):
            inode = there.get(path.name)
            if inode is not None and inode not in verified:
                verified[inode] = _holds(path, text)
            if inode is not None and verified[inode]:
                whole = path
            else:
                missing.append(path)
        if whole is None:
            whole = missing.pop()
            write(whole, view.stored_pixels[view.stored_rows[classes[0]]], text)
            written += 1
        for path in missing:
            link_or_copy(whole, path)
    return written


def _by_image(view: Snapshot) -> Iterator[list[int]]:
    """The classes of each distinct image, ascending."""
    rows = np.asarray(view.stored_rows)
    order = np.argsort(rows, kind="stable")[int((rows < 0).sum()) :]
    cuts = np.flatnonzero(np.diff(rows[order])) + 1
    for classes in np.split(order, cuts) if len(order) else []:
        yield classes.tolist()


def _holds(path: Path, text: Mapping[str, str]) -> bool:
    """Whether the file is whole, and its image that of these text entries."""
    try:
        with open(path, "rb") as file:
            file.seek(-len(_END), 2)
            whole = file.read() == _END
        found = read_text(path)
        return whole and all(found.get(key) == _encodable(value) for key, value in text.items())
    except (OSError, InvalidError):
        return False


def _encodable(text: str) -> str:
    """The text, with what UTF-8 can't hold (lone surrogates) escaped."""
    return text.encode("utf-8", "backslashreplace").decode()
