"""Searches: policies that choose parents and read results. They know executors, never where those run.

A search is found by its settings: each class in `SearchSettings` names the class that searches (`searcher`).
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from fooling.archive import Archive
    from fooling.classifiers import Classifier
    from fooling.encodings.settings import EncodingSettings, ResolvedEncoding
    from fooling.search.protocol import Search
    from fooling.search.settings import ResolvedSearch, SearchSettings


def create(
    search: ResolvedSearch, encoding: ResolvedEncoding, seed: int, chunk: int, toolbox: Any, archive: Archive
) -> Search:
    """The search that its settings name; see `fooling.search.protocol.Search.create`."""
    return _searcher(search).create(search, encoding, seed, chunk, toolbox, archive)


def fit(
    search: SearchSettings, encoding: EncodingSettings, classifier: Classifier
) -> tuple[SearchSettings, EncodingSettings]:
    """The settings as the search asks for them; see `fooling.search.protocol.Search.fit`."""
    return _searcher(search).fit(search, encoding, classifier)


def check(
    search: ResolvedSearch, archive: Archive, generation: int, arrays: Mapping[str, NDArray], goes_on: bool
) -> None:
    """Whether a checkpoint is one of the search; see `fooling.search.protocol.Search.check`."""
    _searcher(search).check(search, archive, generation, arrays, goes_on)


def _searcher(settings: SearchSettings) -> type[Search]:
    """The class that searches as these settings say."""
    module, _, name = settings.searcher.partition(":")
    return getattr(import_module(module), name)
