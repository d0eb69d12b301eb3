"""The gallery: one HTML file with every elite of one or several runs, opened from disk.

It fetches nothing and needs no server. Each distinct image is in it once, bit for bit, as a PNG in base64
in a block of its own, which the page's script reads only when the image comes into view; the blocks come last, so that the
wall is usable while hundreds of megabytes of them are read. Everything that
users wrote (labels, model names, directory names) reaches the page as escaped HTML or as escaped JSON
that the script shows as text; a content security policy allows this one script and style by their hashes.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from fooling.files import replacing
from fooling.present import web
from fooling.present.wall import wall
from fooling.present.web.bundle import bundle, stylesheet
from fooling.store.elites import SMALL, encode
from fooling.store.snapshot import distinct_names
from fooling.text import all_plain, encoded, format_bytes

if TYPE_CHECKING:
    from fooling.store.snapshot import Snapshot

_STYLES = ("tokens.css", "base.css", "wall.css", "gallery.css")


def write_gallery(views: Sequence[Snapshot], path: Path) -> int:
    """Write the gallery of some runs as one file, whole or not at all.

    Returns:
        Its size in bytes.

    Raises:
        OSError: it can't be written.
        ValueError: no runs.
    """
    size = 0
    with replacing(path) as file:
        for piece in gallery(views):
            size += file.write(encoded(piece))
    return size


def gallery(views: Sequence[Snapshot]) -> Iterator[str]:
    """The gallery of some runs, piece by piece; of several runs it shows each class side by side.

    Raises:
        ValueError: no runs.
    """
    if not views:
        raise ValueError("expected one run or more, found none")
    return _pieces(views)


def _pieces(views: Sequence[Snapshot]) -> Iterator[str]:
    images = _Images()
    data = all_plain(wall(views, distinct_names([view.directory for view in views]), images.add))
    style, script = stylesheet(*_STYLES), bundle("gallery.js")
    size = 0  # of what has been given out: at the page's end, where it is printed, nearly all
    pieces = (
        web.environment()
        .get_template("gallery.html.j2")
        .generate(
            data=data,
            names=[run["name"] for run in data["runs"]],
            distinct=len(images),
            images=images.encoded(_surest_first(data)),
            style=Markup(style),
            script=Markup(script),
            style_hash=csp_hash(style),
            script_hash=csp_hash(script),
            size=lambda: format_bytes(size),
        )
    )
    for piece in pieces:
        size += len(encoded(piece))
        yield piece


@dataclass
class _Images:
    """The distinct images of all runs, by content."""

    pixels: list[NDArray[np.uint8]] = field(default_factory=list)
    number: dict[tuple[tuple[int, ...], bytes], int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.pixels)

    def add(self, pixels: NDArray[np.uint8]) -> int:
        """The image's number."""
        key = pixels.shape, hashlib.sha256(pixels.tobytes()).digest()
        if key not in self.number:
            self.number[key] = len(self.pixels)
            self.pixels.append(pixels)
        return self.number[key]

    def encoded(self, numbers: Sequence[int]) -> Iterator[tuple[int, str]]:
        """The images of these numbers, each as its number and base64 of a PNG. zlib releases the GIL."""
        with ThreadPoolExecutor(4) as pool:
            pngs = pool.map(lambda number: encode(self.pixels[number], level=SMALL), numbers)
            for number, png in zip(numbers, pngs, strict=True):
                yield number, base64.b64encode(png).decode("ascii")


def _surest_first(data: dict[str, Any]) -> list[int]:
    """The numbers of the images in the order in which a reader sees them first."""
    best: dict[int, float] = {}
    for run in data["runs"]:
        for elite in run["elites"]:
            if elite is not None:
                best[elite[4]] = max(best.get(elite[4], 0.0), elite[0])
    return sorted(best, key=lambda number: -best[number])


def csp_hash(text: str) -> str:
    """What a content security policy calls a script or style of this text."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")
