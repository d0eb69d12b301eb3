"""Lines bred for whoever looks at them. What a line begins with is bred once for all its branches, and kept."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fooling.search.line.steps import Step, to_text
from fooling.service.caches import Cache
from fooling.service.problems import ProblemError

if TYPE_CHECKING:
    from fooling.search.breed.brood import Brood
    from fooling.service.breeding.origin import Origin

_MOST_BYTES = 2**26  # of broods, and as much of pictures
_AT_ONCE, _WAITING = 2, 64  # what is bred or drawn at once, and what may wait for that


class Lines:
    """Breeds and draws. May be used from any thread, which it keeps busy."""

    def __init__(self) -> None:
        self.forget()
        self._places = threading.BoundedSemaphore(_AT_ONCE + _WAITING)
        self._pens = threading.BoundedSemaphore(_AT_ONCE)

    def forget(self) -> None:
        """Keep nothing any more: all of it can be bred again."""
        self._broods: Cache[Brood] = Cache(_MOST_BYTES, _bytes)
        self._pictures: Cache[bytes] = Cache(_MOST_BYTES, len)

    def brood(self, origin: Origin, steps: tuple[Step, ...]) -> Brood:
        """The children after these steps.

        Raises:
            ProblemError: 503: too much is asked for at once.
        """
        if (found := self._broods.peek(_key(origin, steps))) is not None:
            return found
        with self._turn():
            return self._bred(origin, steps)

    def pixels(self, origin: Origin, steps: tuple[Step, ...]) -> NDArray[np.uint8]:
        """(CHILDREN, H, W, C) uint8: the children as a classifier is shown them."""
        brood = self.brood(origin, steps)
        with self._turn():
            return origin.encoding.render(brood.genotypes)

    def picture(self, origin: Origin, steps: tuple[Step, ...], child: int, side: int | None) -> bytes:
        """A child as PNG.

        Args:
            child: its place.
            side: of the image's longer side in pixels; None: what a classifier is shown.
        """
        brood = self.brood(origin, steps)

        def draw() -> bytes:
            with self._turn():
                return _drawn(origin, brood, child, side)

        return self._pictures.get((*_key(origin, steps), child, side), draw)

    def _bred(self, origin: Origin, steps: tuple[Step, ...]) -> Brood:
        """Bred from the longest beginning of the line that is kept."""
        from fooling.search.breed.brood import Breeder

        breeder = Breeder(origin.encoding, origin.seed, origin.start)
        brood, length = None, len(steps) + 1
        while brood is None and length > 0:
            length -= 1
            brood = self._broods.peek(_key(origin, steps[:length]))
        if brood is None:
            brood = self._broods.get(_key(origin, ()), breeder.first)
        for number in range(length, len(steps)):
            follow = partial(breeder.following, brood, steps[number])
            brood = self._broods.get(_key(origin, steps[: number + 1]), follow)
        return brood

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if not self._places.acquire(blocking=False):
            raise ProblemError(503, "too much is being bred; try again", {"retry-after": "1"})
        try:
            with self._pens:
                yield
        finally:
            self._places.release()


def _key(origin: Origin, steps: tuple[Step, ...]) -> tuple[Any, ...]:
    images = {key: value for key, value in origin.address.items() if key != "model"}
    return (*sorted(images.items()), origin.encoding.settings.colour, to_text(steps))


def _bytes(brood: Brood) -> int:
    arrays = [*brood.genotypes.arrays().values(), brood.small]
    return sum(array.nbytes for array in arrays) + 4096


def _drawn(origin: Origin, brood: Brood, child: int, side: int | None) -> bytes:
    from fooling.sizes import size_of
    from fooling.store.elites import encode

    genotype = brood.genotypes.take([child])
    height, width, _ = origin.encoding.image_shape
    if side is None or origin.encoding.settings.coordinates == "raw":
        return encode(origin.encoding.render(genotype)[0])
    factor = side / max(height, width)
    wanted = size_of((max(1, round(height * factor)), max(1, round(width * factor))))
    return encode(origin.encoding.render(genotype, wanted)[0])
