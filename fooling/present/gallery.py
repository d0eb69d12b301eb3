"""The gallery: one HTML file with every elite of one or several runs, opened from disk.

It fetches nothing and needs no server. Each distinct image is in it once, bit for bit, as a PNG in base64
in a block of its own, which the page's script reads only when the image comes into view. Everything that
users wrote (labels, model names, directory names) reaches the page as escaped HTML or as escaped JSON
that the script shows as text; a content security policy allows this one script and style by their hashes.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from fooling.confidence import BANDS, VACANT, shortest
from fooling.files import replacing
from fooling.present import web
from fooling.present.facts import facts
from fooling.present.web.bundle import bundle, stylesheet
from fooling.store.elites import SMALL, encode
from fooling.store.snapshot import distinct_names
from fooling.text import all_plain, encoded, format_bytes

if TYPE_CHECKING:
    from fooling.store.snapshot import Snapshot

_STYLES = ("tokens.css", "base.css", "wall.css", "gallery.css")
_CURVE = ("generation", "evaluations", "min", "median", "max", "at_least_0.99", "at_least_0.9999")


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
    data = all_plain(_data(views, images))
    style, script = stylesheet(*_STYLES), bundle("gallery.js")
    size = 0  # of what has been given out: at the page's end, where it is printed, nearly all
    pieces = (
        web.environment()
        .get_template("gallery.html.j2")
        .generate(
            data=data,
            names=[run["name"] for run in data["runs"]],
            distinct=len(images),
            images=images.encoded(),
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

    def encoded(self) -> Iterator[str]:
        """The images as base64 of PNGs, in the order of their numbers. zlib releases the GIL."""
        with ThreadPoolExecutor(4) as pool:
            for png in pool.map(lambda pixels: encode(pixels, level=SMALL), self.pixels):
                yield base64.b64encode(png).decode("ascii")


def _data(views: Sequence[Snapshot], images: _Images) -> dict[str, Any]:
    """What the page's script is given; `web/gallery.js` says what it makes of it."""
    classes = _merged_classes(views)
    names = sorted({name for view in views for name in view.groups})
    groups: dict[tuple[int, str], set[int]] = {key: set() for key in classes}
    for view in views:
        for name, members in view.groups.items():
            for index in np.intersect1d(members, view.target_classes).tolist():
                groups[index, view.labels[index]].add(names.index(name))
    return {
        "bands": [{"name": band.name, "low": band.low} for band in BANDS],
        "vacant": VACANT,
        "groups": names,
        "classes": [
            {"index": index, "label": label, "groups": sorted(groups[index, label])}
            for index, label in classes
        ],
        "runs": [
            _run(view, name, classes, images)
            for view, name in zip(views, distinct_names([view.directory for view in views]), strict=True)
        ],
    }


def _merged_classes(views: Sequence[Snapshot]) -> dict[tuple[int, str], int]:
    """(index, label) -> position, of every class that any run's search is for: the same class only where both
    agree."""
    keys = sorted({(index, view.labels[index]) for view in views for index in view.target_classes.tolist()})
    return {key: position for position, key in enumerate(keys)}


def _run(view: Snapshot, name: str, classes: dict[tuple[int, str], int], images: _Images) -> dict[str, Any]:
    confidence, ids = view.confidence, view.ids
    top1, top1_confidence = view.top1, view.top1_confidence
    answers: dict[int, int] = {}  # a class that is some elite's first answer -> its place in a list of them
    elites: list[list[Any] | None] = [None] * len(classes)
    for index, row in enumerate(view.stored_rows):
        if row >= 0:
            answer = int(top1[index])
            first = None if answer < 0 else answers.setdefault(answer, len(answers))
            elites[classes[index, view.labels[index]]] = [
                shortest(confidence[index]),
                *ids[index].tolist(),
                images.add(view.stored_pixels[row]),
                first,
                _number(top1_confidence[index]),
            ]
    return {
        "name": name,
        "status": view.status,
        "facts": facts(view),
        "width": view.stored_pixels.shape[2],
        "height": view.stored_pixels.shape[1],
        "classes": view.statistics.classes,
        "median": _number(view.statistics.median),
        "above": [view.statistics.at_least_99, view.statistics.at_least_9999],
        "top1": view.top1_count,
        "answers": [[answer, view.labels[answer]] for answer in answers],
        "elites": elites,
        "curve": list(_curve(view.curve)),
    }


def _curve(rows: Iterable[dict[str, Any]]) -> Iterator[list[float | int | None]]:
    """The columns of `_CURVE`, without the generations in which none of them but the counters moved: the
    curve is a staircase, so nothing is lost."""
    before: list[float | int | None] = []
    skipped: list[float | int | None] = []
    for row in rows:
        values = [_number(row.get(name)) for name in _CURVE]
        if values[2:] == before:
            skipped = values
            continue
        before, skipped = values[2:], []
        yield values
    if skipped:
        yield skipped


def _number(value: Any) -> float | int | None:
    if value is None or value != value:
        return None
    return value if isinstance(value, int) else shortest(float(value))


def csp_hash(text: str) -> str:
    """What a content security policy calls a script or style of this text."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")
