"""What `import fooling` gives: runs whose gallery is written beside them."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import ParamSpec

from fooling.present.gallery import write_gallery
from fooling.runs import launch
from fooling.store.directory import RunDirectory
from fooling.store.reading import open_run
from fooling.store.snapshot import Snapshot

P = ParamSpec("P")


def _with_gallery(start: Callable[P, Snapshot]) -> Callable[P, Snapshot]:
    """`start`, which also writes the gallery of the run at its end."""

    @functools.wraps(start)
    def call(*args: P.args, **kwargs: P.kwargs) -> Snapshot:
        kwargs.setdefault("pages", beside)
        return start(*args, **kwargs)

    return call


def beside(view: Snapshot) -> None:
    """Write the gallery of a run in its directory.

    Raises:
        OSError: it can't be written.
    """
    write_gallery([view], RunDirectory(view.directory).gallery)


run, resume = _with_gallery(launch.run), _with_gallery(launch.resume)

__all__ = ["Snapshot", "open_run", "resume", "run"]
