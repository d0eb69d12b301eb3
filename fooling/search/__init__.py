"""Searches: policies that choose parents and read results. They know executors, never where those run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fooling.archive import Archive
    from fooling.config import Settings
    from fooling.search.protocol import Search


def create(settings: Settings, chunk: int, toolbox: Any, archive: Archive) -> Search:
    """The search that the settings name, on an archive.

    Args:
        chunk: children that are varied, rendered and classified together.
        toolbox: its operators (`fooling.search.toolbox`).
    """
    from fooling.search.map_elites import MapElites

    return MapElites(settings.search, settings.seed, chunk, toolbox, archive)
