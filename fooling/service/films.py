"""The ancestors of an elite as pictures, from the first, random generation to now. Of those that the run did not keep, the
genotypes are bred once more from the lineage, without the classifier."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fooling.errors import FoolingError, NotFoundError
from fooling.service.caches import Cache
from fooling.service.problems import ProblemError, without_paths
from fooling.service.reading import Reading
from fooling.service.settings import Limits

if TYPE_CHECKING:
    from fooling.store.snapshot import Snapshot
    from fooling.studies.lineage.walk import Ancestor

_MOST = 20_000  # images of a family: more would take minutes
_BYTES = 2**27  # of films that are kept


@dataclass(frozen=True)
class Reel:
    """The line of an elite.

    Attributes:
        line: the ancestors without mates, the oldest first; the elite is the last.
        family: all of them, mates too.
        pixels: (H, W, C) uint8 of each on the line; None of one that can't be drawn.
        why: why some can't; "" where there are none.
    """

    line: list[Ancestor]
    family: list[Ancestor]
    pixels: list[NDArray[np.uint8] | None]
    why: str

    @property
    def bytes(self) -> int:
        """Of memory, about."""
        return 4096 + 500 * len(self.family) + sum(each.nbytes for each in self.pixels if each is not None)


class Films:
    """Makes films and keeps those that were asked for last. May be used from any thread, which it keeps busy."""

    def __init__(self, limits: Limits, root: str) -> None:
        self._root = root
        self._reels: Cache[Reel] = Cache(_BYTES, lambda reel: reel.bytes)
        self._places = threading.BoundedSemaphore(limits.drawing + limits.waiting)
        self._pens = threading.BoundedSemaphore(limits.drawing)

    def reel(self, id: str, reading: Reading, number: int) -> Reel:
        """The film of a class's elite.

        Raises:
            ProblemError: 503: too many are being made.
            NotFoundError: there is no such elite.
            InvalidError: the lineage was cut or altered.
        """
        view = reading.view
        if not 0 <= number < len(view.labels) or view.stored_rows[number] < 0:
            raise NotFoundError("this run has no elite of that class (yet)")
        key = (id, number, tuple(view.ids[number].tolist()), float(view.confidence[number]))
        return self._reels.get(key, lambda: self._made(view, number))

    def _made(self, view: Snapshot, number: int) -> Reel:
        from fooling.store.reading import lineage_of
        from fooling.studies.lineage import walk

        if not self._places.acquire(blocking=False):
            raise ProblemError(503, "too many images are being drawn; try again", {"retry-after": "1"})
        try:
            with self._pens:
                generation, stream, child = view.ids[number].tolist()
                family = walk.ancestors(lineage_of(view), (generation, stream, child))
                return self._drawn(view, family)
        finally:
            self._places.release()

    def _drawn(self, view: Snapshot, family: list[Ancestor]) -> Reel:
        from fooling.studies.lineage import walk
        from fooling.studies.lineage.replay import redrawn

        line = walk.line(family)
        try:
            if view.spec.config.search.name != "map-elites":
                raise NotFoundError(f"the search {view.spec.config.search.name} does not breed by keys")
            if len(family) > _MOST:
                raise NotFoundError(f"its family is too large to breed again: {len(family):,} images")
            bred = dict(zip((one.identity for one in family), redrawn(view, family), strict=True))
        except FoolingError as error:
            return Reel(
                line, family, [_kept(view, one) for one in line], without_paths(str(error), self._root)
            )
        return Reel(line, family, [bred[one.identity] for one in line], "")


def _kept(view: Snapshot, ancestor: Ancestor) -> NDArray[np.uint8] | None:
    """The image of an ancestor that is still the elite of some class."""
    held = np.unique(view.stored_rows[view.stored_rows >= 0])
    found = held[(view.archive.ids[held] == ancestor.identity).all(axis=1)]
    return view.archive.pixels[int(found[0])] if len(found) else None
