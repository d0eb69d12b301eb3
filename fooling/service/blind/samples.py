"""Real images to show among elites: of the albums that the server was started with, the first that fits a classifier."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from fooling.errors import FoolingError
from fooling.service.caches import Cache
from fooling.service.problems import without_paths

if TYPE_CHECKING:
    from fooling.classifiers.spec import Spec
    from fooling.datasets.reading import Listed

_KEPT = 2**28  # bytes of albums, about


@dataclass(frozen=True)
class Album:
    """Real images for a classifier.

    Attributes:
        listed: the images; None where none fit.
        why: why there are none, or "".
        bytes: of memory, about.
    """

    listed: Listed | None
    why: str
    bytes: int = 0


class Albums:
    """The albums that `--samples` names. A request can name none. May be used from any thread."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self._paths = tuple(paths)
        self._albums: Cache[Album] = Cache(_KEPT, lambda album: album.bytes)

    def of(self, spec: Spec) -> Album:
        """Real images of a classifier's classes, in its size."""
        if not self._paths:
            return Album(None, "this server was started without --samples")
        return self._albums.get((spec.labels, spec.wordnet, spec.image_shape), lambda: self._first(spec))

    def _first(self, spec: Spec) -> Album:
        from fooling.classifiers.samples import listed

        why = ""
        for path in self._paths:
            try:
                found = listed(path, spec)
            except FoolingError as error:
                why = why or f"{path.name} does not fit this classifier: {without_paths(str(error))}"
                continue
            height, width, channels = spec.image_shape
            return Album(found, "", len(found.labels) * (height * width * channels + 64))
        return Album(None, why, len(why))
