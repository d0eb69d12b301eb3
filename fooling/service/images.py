"""The PNGs of elites: exactly the pixels that were classified, or the elite drawn at another size.

Every PNG that is sent was encoded here. What a run directory holds as a PNG may come from a stranger, and is not sent.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from starlette.responses import Response

from fooling.service.caches import Cache
from fooling.service.problems import ProblemError
from fooling.service.reading import Reading, Stamp
from fooling.service.settings import Limits

if TYPE_CHECKING:
    from fooling.store.snapshot import Snapshot


@dataclass(frozen=True)
class Picture:
    """A PNG and its ETag, which depends on its bytes alone."""

    data: bytes
    etag: str


class Images:
    """Makes PNGs of elites and keeps those that were asked for. May be used from any thread, which it keeps busy."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._pictures: Cache[Picture] = Cache(limits.image_bytes, lambda picture: len(picture.data) + 256)
        self._places = threading.BoundedSemaphore(limits.drawing + limits.waiting)
        self._pens = threading.BoundedSemaphore(limits.drawing)

    @property
    def cache(self) -> Cache[Picture]:
        """What is kept."""
        return self._pictures

    def picture(self, id: str, reading: Reading, number: int, side: int | None) -> Picture:
        """The PNG of a class's elite.

        Args:
            id: of the run.
            side: of the image's longer side in pixels; None: exactly what was classified.

        Raises:
            ProblemError: 404: there is no such elite; 422: no such size; 503: too many images are being drawn.
        """
        view = reading.view
        if not 0 <= number < len(view.labels) or view.stored_rows[number] < 0:
            raise ProblemError(404, "this run has no elite of that class (yet)")
        row = int(view.stored_rows[number])
        height, width = view.archive.pixels.shape[1:3]
        if side == max(height, width):
            side = None
        identity = tuple(view.ids[number].tolist())
        key = (id, identity, number, float(view.confidence[number]), side)
        return self._pictures.get(key, lambda: self._made(view, number, row, side))

    def preview(self, id: str, stamp: Stamp | None, read: Callable[[], Reading | None]) -> Picture:
        """The picture of a run's surest elites, made once for each checkpoint.

        Args:
            read: reads the run.

        Raises:
            ProblemError: 503: too many images are being drawn; and what `read` raises.
        """

        def made() -> Picture:
            with self.drawing():
                return _preview(read())

        return self._pictures.get((id, stamp, "preview"), made)

    def sheet(self, id: str, reading: Reading, number: int, side: int) -> Picture:
        """The images of all nodes of the CPPN of a class's elite (`fooling.service.varying.nodes_sheet`); errors as for
        `picture`."""
        from fooling.service.varying import nodes_sheet
        from fooling.store.elites import encode

        def made() -> Picture:
            with self.drawing():
                return picture_of(encode(nodes_sheet(view, number, side), {}))

        view = reading.view
        identity = tuple(view.ids[number].tolist()) if 0 <= number < len(view.labels) else ()
        return self._pictures.get((id, "nodes", identity, number, side), made)

    @contextmanager
    def drawing(self) -> Iterator[None]:
        """One of the images that may be drawn at once.

        Raises:
            ProblemError: 503: too many wait.
        """
        if not self._places.acquire(blocking=False):
            raise ProblemError(503, "too many images are being drawn; try again", {"retry-after": "1"})
        try:
            with self._pens:
                yield
        finally:
            self._places.release()

    def _made(self, view: Snapshot, number: int, row: int, side: int | None) -> Picture:
        from fooling.store.elites import elite_text, encode

        text = elite_text(view, number)
        if side is None:
            return picture_of(encode(view.archive.pixels[row], text))
        if side > self._limits.side:
            raise ProblemError(422, f"size: expected at most {self._limits.side} pixels, found {side}")
        with self.drawing():
            pixels, note = _drawn(view, row, side)
            return picture_of(encode(pixels, text | note))


def picture_response(found: Picture, final: bool, known: str | None) -> Response:
    """A picture as it is sent.

    Args:
        final: it never changes again.
        known: the header `If-None-Match`.
    """
    keep = "private, max-age=31536000, immutable" if final else "private, no-cache"
    headers = {"etag": found.etag, "cache-control": keep}
    if is_known(found.etag, known):
        return Response(status_code=304, headers=headers)
    return Response(found.data, media_type="image/png", headers=headers)


def is_known(etag: str, known: str | None) -> bool:
    """Whether a client has what this ETag is of, by its If-None-Match."""
    return known is not None and etag in [tag.strip().removeprefix("W/") for tag in known.split(",")]


def _preview(reading: Reading | None) -> Picture:
    from fooling.service.previews import preview

    return picture_of(preview(None if reading is None else reading.view))


def picture_of(data: bytes) -> Picture:
    """A PNG with its ETag."""
    return Picture(data, f'"{hashlib.sha256(data).hexdigest()[:32]}"')


def _drawn(view: Snapshot, row: int, side: int) -> tuple[NDArray[np.uint8], dict[str, str]]:
    """An elite at another size, and what to say of it: such an image was never classified."""
    from PIL import Image

    from fooling.sizes import size_of, to_text

    pixels = view.archive.pixels[row]
    height, width = pixels.shape[:2]
    factor = side / max(height, width)
    wanted = (max(1, round(height * factor)), max(1, round(width * factor)))
    native = f"the confidence is of the image at {to_text((height, width))} px"
    if view.spec.config.encoding.has_any_size:
        from fooling.store.snapshot import empty_archive

        _, drawing = empty_archive(view.spec.config, view.spec.classifier.spec)
        drawn = drawing.render(view.archive.genotypes.take(np.array([row])), size_of(wanted))[0]
        return drawn, {"rendered": f"again at {to_text(wanted)} px; {native}"}
    image = Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)
    scaled = np.asarray(image.resize((wanted[1], wanted[0]), Image.Resampling.NEAREST))
    return scaled.reshape(*wanted, pixels.shape[2]), {
        "scaled": f"to {to_text(wanted)} px, nearest neighbour; {native}"
    }
